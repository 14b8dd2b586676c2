"""Puts a function back as it was where a tuning of it was killed: by `tune restore`, as a child.

Only what journals of this machine tell is touched, and never the run of a process that lives: a
function that has the marks of a run from elsewhere is left to a person.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import ExitCode
from core.interrupt import StopRequest
from reports.nightly.child import GRACES, Graces, Order, run_child
from reports.nightly.night_folder import NightFolder

# It waits patiently where AWS throttles: some minutes for the versions of a large sweep.
_LIMIT_S = 900.0


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a restore, in words; not `done` means that something is left on the account."""

    done: bool
    words: str


@dataclass(frozen=True, slots=True)
class PutBack:
    """`command` makes the command line of `tune restore` with these arguments."""

    command: Callable[[Sequence[str]], list[str]]
    graces: Graces = GRACES

    def function(self, function: str, folder: NightFolder) -> Restored | None:
        """Restores what killed runs left on `function`; None where they left nothing.

        A stop does not cut it: it is what a stop would have to do.
        """
        name = function_name(function)
        told = self._run(["--list", "--json", "-q"], folder)
        if told is None:
            what = f"could not look for what a killed tuning left on {name}"
            return Restored(done=False, words=f"{what}: {_ADVICE}")
        left = [
            entry["function_arn"]
            for entry in told.get("open", ())
            if function_name(entry["function_arn"]) == name
            and not entry["running"]
            and entry["host"] == socket.gethostname()
        ]
        if not left:
            return None
        arn = left[0]
        options = ["--region", arn.split(":")[3], "--yes", "--json", "-q"]
        ended = self._run([arn, *options], folder)
        if ended is None or ended.get("exit_code") != ExitCode.PASS:
            what = f"could not put {name} back as it was before a killed tuning"
            return Restored(done=False, words=f"{what}: {_ADVICE}")
        words = f"{name} is back as it was before a tuning of it was killed"
        return Restored(done=True, words=words)

    def _run(self, arguments: Sequence[str], folder: NightFolder) -> dict[str, Any] | None:
        answer = folder.answer("restore")
        order = Order(
            command=self.command(arguments),
            answer=answer,
            log=folder.log("restore"),
            time_limit_s=_LIMIT_S,
            graces=self.graces,
        )
        ending = run_child(order, StopRequest())
        try:
            values = json.loads(answer.read_bytes())
        except (OSError, ValueError):
            return None
        answer.unlink(missing_ok=True)
        return values if ending.how == "ended" and isinstance(values, dict) else None


def restore_command(profile: str | None, arguments: Sequence[str]) -> list[str]:
    """The command line of `tune restore`, under an AWS profile where one is given."""
    given = ["--profile", profile] if profile is not None else []
    return [sys.executable, "-P", "-m", "tuner", "restore", *arguments, *given]


_ADVICE = "run `tune restore` on this machine, as this user"


def function_name(function: str) -> str:
    """The bare name in a name or ARN with or without a version or alias."""
    parts = function.split(":")
    # An ARN, or the short form of one: 123456789012:function:NAME:ALIAS.
    return parts[parts.index("function") + 1] if "function" in parts[:-1] else parts[0]
