"""Hooks on this machine: a command for each call, or Python functions in one process for all."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.aws.limits import SYNC_PAYLOAD_MAX_BYTES
from core.errors import InputError
from tuner.hook_kinds import worker
from tuner.hook_kinds.asked import CommandAsked, PythonAsked
from tuner.hook_kinds.process import Child, ChildError, ChildStopped, Patience
from tuner.hook_kinds.surroundings import Surroundings
from tuner.hook_kinds.told import as_json, call_variables, event_of, hook_error, last_words, said_by
from tuner.hooks import HookStopped

# Room for a payload that is too long, so that it is called that.
_MOST_BYTES = SYNC_PAYLOAD_MAX_BYTES + 65_536
# Without -P the folder of the script would come before the user's modules.
_WORKER = (sys.executable, "-P", str(Path(worker.__file__)))


@dataclass(frozen=True, slots=True)
class CommandHook:
    """A command, run once for each call."""

    asked: CommandAsked
    around: Surroundings

    def run(self, payload: bytes, output: bytes | None, memory_mb: int) -> bytes | None:
        """Gives it the event on stdin; what it prints is what it says. See `tuner.hooks.Hook`."""
        asked = self.asked
        variables = call_variables(asked.step, self.around.function, memory_mb)
        try:
            said = self._printed(event_of(asked.step, payload, output), variables)
        except ChildError as error:
            raise hook_error(asked, memory_mb, error, payload=payload, output=output) from error
        except ChildStopped as stopped:
            raise HookStopped(f"{asked.shown}: stopped") from stopped
        return said_by(asked, said)

    def _printed(self, event: bytes, variables: Mapping[str, str]) -> bytes:
        around = self.around
        environment = {**around.environment, **variables}
        patience = around.patience(self.asked.step)
        child = Child(self.asked.words, environment, around.groups, most_bytes=_MOST_BYTES)
        try:
            return child.finish(event, patience)
        finally:
            child.end()


class PythonProcess:
    """The process in which Python functions of the user's are called, one call at a time.

    It begins with the first call. After one that did not end by itself, it begins again.
    """

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._child: Child | None = None
        self._lock = threading.Lock()

    def call(
        self, asked: PythonAsked, texts: Sequence[bytes], variables: Mapping[str, str]
    ) -> bytes | None:
        """What the function returns, as JSON; without texts it is imported and not called.

        Raises:
            ChildError: when it raises, or does not end in time.
            ChildStopped: when somebody asked to stop meanwhile.
        """
        header = {
            "module": asked.module,
            "function": asked.function,
            "environment": dict(variables),
            "lengths": [len(text) for text in texts],
        }
        request = json.dumps(header).encode() + b"\n" + b"".join(texts)
        with self._lock:
            answer = self._answer(request, self._around.patience(asked.step))
        word, _, rest = answer.rstrip(b"\n").partition(b" ")
        if word == worker.PROBLEM:
            raise ChildError("it raised an exception", whole=json.loads(rest))
        return rest if word == worker.SAID else None

    def close(self) -> None:
        """Ends the process."""
        with self._lock:
            self._end()

    def _answer(self, request: bytes, patience: Patience) -> bytes:
        if self._child is None:
            around = self._around
            self._child = Child(_WORKER, around.environment, around.groups, most_bytes=_MOST_BYTES)
        try:
            return self._child.ask(request, patience)
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


@dataclass(frozen=True, slots=True)
class PythonHook:
    """A Python function, called once for each call."""

    asked: PythonAsked
    around: Surroundings
    process: PythonProcess

    def run(self, payload: bytes, output: bytes | None, memory_mb: int) -> bytes | None:
        """Calls it with the event; what it returns is what it says. See `tuner.hooks.Hook`."""
        asked = self.asked
        texts = [payload] if asked.step == "pre" else [payload, as_json(output)]
        variables = call_variables(asked.step, self.around.function, memory_mb)
        try:
            said = self.process.call(asked, texts, variables)
        except ChildError as error:
            raise hook_error(asked, memory_mb, error, payload=payload, output=output) from error
        except ChildStopped as stopped:
            raise HookStopped(f"{asked.shown}: stopped") from stopped
        return None if said is None else said_by(asked, said)


def check_python(asked: PythonAsked, process: PythonProcess) -> None:
    """Imports the module.

    Raises:
        InputError: when that does not work, or the function is none.
    """
    try:
        process.call(asked, [], {})
    except ChildError as error:
        words = last_words(error)
        said = words if error.whole else ": ".join(filter(None, [str(error), words]))
        raise InputError(f"{asked.shown}: could not import it: {said}") from error
