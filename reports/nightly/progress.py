"""How far a night is: plain lines for logs, and one line that counts where somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.console import Console
from core.text import one_line
from reports.figures import seconds as seconds_text

# A log that says nothing for long looks dead to people, and to CI services that end silent jobs.
_LINE_EVERY_S = 300.0
_COUNT_EVERY_S = 1.0


class Progress:
    """What is said of the steps on stderr while a night runs."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        """One line, unless quiet."""
        self._console.say(one_line(text))

    def warn(self, text: str) -> None:
        """One line that nobody must miss."""
        self._console.warn(one_line(text))

    @contextmanager
    def run(self, what: str, limit_s: float) -> Iterator[Callable[[float], None]]:
        """Tells of a run; gives what is to be called with the seconds so far."""
        limit = f"at most {seconds_text(limit_s)}"
        self._console.say(f"{what}: begins, {limit}")
        every_s = _COUNT_EVERY_S if self._console.interactive else _LINE_EVERY_S
        next_s = every_s

        with self._console.live() as show:

            def look(seconds: float) -> None:
                nonlocal next_s
                if seconds < next_s:
                    return
                next_s = seconds + every_s
                line = f"{what}: running, {seconds_text(round(seconds))} of {limit}"
                if self._console.interactive:
                    show(line)
                else:
                    self._console.say(line)

            yield look

    def ended(self, what: str, seconds: float, verdict: str, words: str) -> None:
        """Tells how a run ended."""
        # A word may begin a sentence, and the name of a function or a file stays as it is.
        if words.partition(" ")[0].isalpha():
            words = words[:1].upper() + words[1:]
        said = f". {one_line(words)}" if words else ""
        self._console.say(f"{what}: {verdict} after {seconds_text(round(seconds))}{said}")
