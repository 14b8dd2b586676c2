"""What a command says and where: data on stdout, talk on stderr, colour only where it can be seen.

rich is imported on first use, because `--help` must not wait for it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from core.errors import InputError
from core.streams import discard_stdout, json_for
from core.text import no_commands

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.console import ConsoleOptions, RenderableType
    from rich.segment import Segment


class ProgressBar(Protocol):
    """Where a long task reports how far it is."""

    def advance(self, description: str) -> None:
        """One more step is done; `description` says what the next is about."""


class Console:
    """The two streams of a command.

    `verbosity` is -1 for quiet, 0 for normal, 1 for verbose. With `json_output`, stdout carries
    one JSON document and the tables go to stderr.
    """

    def __init__(self, *, verbosity: int = 0, json_output: bool = False) -> None:
        self.verbosity = verbosity
        self.json_output = json_output
        self._streams: dict[bool, RichConsole] = {}

    def _rich(self, *, stderr: bool) -> RichConsole:
        if stderr not in self._streams:
            from rich.console import Console as RichConsole

            stream = sys.stderr if stderr else sys.stdout
            # A pipe or a CI log has no width of its own: 80 columns are readable everywhere.
            width = None if stream.isatty() else 80
            self._streams[stderr] = RichConsole(
                file=cast("IO[str]", _Talk()) if stderr else None,
                highlight=False,
                emoji=False,
                soft_wrap=not stream.isatty(),
                width=width,
            )
        return self._streams[stderr]

    def _print(self, renderable: RenderableType, *, stderr: bool) -> None:
        """Names and messages come from elsewhere: what they have of commands stays text."""
        self._rich(stderr=stderr).print(_Harmless(renderable), markup=False)

    @property
    def interactive(self) -> bool:
        """Whether a person watches stderr."""
        return sys.stderr.isatty() and self.verbosity >= 0

    def say(self, message: RenderableType) -> None:
        """One line or table about what happens, unless quiet."""
        if self.verbosity >= 0:
            self._print(message, stderr=True)

    def detail(self, message: str) -> None:
        """One line for those who asked for more with -v."""
        if self.verbosity >= 1:
            self._print(message, stderr=True)

    def warn(self, message: str) -> None:
        """One line that a user must not miss, even when quiet."""
        self._print(f"warning: {message}", stderr=True)

    def instruct(self, line: str) -> None:
        """One line on stderr for the program that reads a job's log, also when quiet."""
        self._print(line, stderr=True)

    def error(self, message: str) -> None:
        """The one line that says why the command ends."""
        self._print(f"error: {message}", stderr=True)

    @property
    def width(self) -> int:
        """Columns of what results go to."""
        return self._rich(stderr=self.json_output).width

    def show(self, renderable: RenderableType) -> None:
        """A result: on stdout, or on stderr where stdout carries JSON.

        Long lines of text are continued two columns further in than they begin.
        """
        if isinstance(renderable, str):
            renderable = folded(no_commands(renderable), self.width)
        self._result(renderable)

    def show_lines(self, text: str) -> None:
        """A result in lines that stay as they are: they are read by programs or laid out."""
        self._result(text)

    def _result(self, renderable: RenderableType) -> None:
        if not self.json_output or self.verbosity >= 0:
            with _answering():
                self._print(renderable, stderr=self.json_output)

    def document(self, text: str) -> None:
        """The JSON document of a command, on stdout, or what stands for it without --json.

        Raises:
            InputError: stdout takes no more, as that of a full disk.
        """
        if self.json_output:
            text = json_for(sys.stdout.encoding, text)
        with _answering():
            sys.stdout.write(text if text.endswith("\n") else text + "\n")
            sys.stdout.flush()

    def error_document(self, messages: Sequence[str], exit_code: int) -> None:
        """The JSON document of a command that ended with an error, or with several."""
        self.document(
            json.dumps(
                {
                    "schema_version": 1,
                    "kind": "error",
                    "verdict": "error",
                    "exit_code": exit_code,
                    "errors": list(messages),
                }
            )
        )

    @contextmanager
    def progress(self, total: int, what: str) -> Iterator[ProgressBar]:
        """A bar on a terminal; elsewhere a plain line for each tenth of `total`."""
        if not self.interactive:
            yield _PlainProgress(self, total, what)
            return
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.table import Column

        columns = (
            TextColumn("{task.fields[what]}", markup=False),
            BarColumn(bar_width=10),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            # What there is no room for is cut here, never the figures before it.
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
        )
        console = self._rich(stderr=True)
        with Progress(*columns, console=console, transient=True, expand=True) as bar:
            task = bar.add_task("", total=total, what=what)
            yield _RichProgress(
                lambda text: bar.update(task, advance=1, description=no_commands(text))
            )

    @contextmanager
    def live(self) -> Iterator[Callable[[RenderableType], None]]:
        """Shows what it is given in place of what it gave before, and nothing in the end.

        Only on a terminal; elsewhere, and when quiet, nothing is shown.
        """
        if not self.interactive:
            yield lambda renderable: None
            return
        from rich.live import Live

        # No thread of its own: it is drawn when there is something new.
        with Live(console=self._rich(stderr=True), auto_refresh=False, transient=True) as shown:
            yield lambda renderable: shown.update(_Harmless(renderable), refresh=True)


@contextmanager
def _answering() -> Iterator[None]:
    """An answer that stdout does not take is a failure with a reason, as for any other file."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_stdout()
        raise InputError(f"could not write to stdout: {error.strerror or error}") from error


def folded(text: str, width: int) -> str:
    """`text` in lines of at most `width` columns; what has no space to break at stays whole.

    A no-break space keeps a number and its unit on one line.
    """
    return "\n".join(
        line
        for long in text.split("\n")
        for line in wrap(
            long,
            width,
            subsequent_indent=" " * (len(long) - len(long.lstrip()) + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
        or [""]
    )


class _Talk:
    """stderr, whose reader may have gone (`2>&1 | head`, a terminal that was closed).

    What a command does is worth more than what it says meanwhile: the rest goes nowhere.
    """

    @property
    def _stream(self) -> Any:
        # While rich shows something live, sys.stderr is one of its own that ends up here.
        return getattr(sys.stderr, "rich_proxied_file", sys.stderr)

    def write(self, text: str) -> None:
        try:
            self._stream.write(text)
        except OSError:
            self._leave()
        except RuntimeError:
            # The handler of a signal that interrupted another write: a buffer is not reentrant.
            os.write(self._stream.fileno(), text.encode(errors="backslashreplace"))

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            self._leave()
        except RuntimeError:
            return  # as above: the interrupted write goes on

    def _leave(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        if name == "rich_proxied_file":
            raise AttributeError(name)
        return getattr(self._stream, name)


class _Harmless:
    """Something to show whose words cannot command the terminal, whatever they are."""

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: RichConsole, options: ConsoleOptions) -> Iterator[Segment]:
        from rich.segment import Segment

        for segment in console.render(self._renderable, options):
            words = segment.text if segment.control else no_commands(segment.text)
            yield Segment(words, segment.style, segment.control)


class _PlainProgress:
    def __init__(self, console: Console, total: int, what: str) -> None:
        self._console, self._total, self._what = console, max(total, 1), what
        self._done = self._tenth = 0

    def advance(self, description: str) -> None:
        self._done += 1
        tenth = self._done * 10 // self._total
        if tenth > self._tenth:
            self._tenth = tenth
            self._console.say(f"{self._what}: {self._done} of {self._total}, {description}")


class _RichProgress:
    def __init__(self, update: Callable[[str], None]) -> None:
        self._update = update

    def advance(self, description: str) -> None:
        self._update(description)
