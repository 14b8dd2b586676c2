"""One call of the function as it is, before anything is changed: does it answer, is it measured?

What would spoil every call of a run costs one call this way: a payload that the function does not
take, code that does not start, a REPORT that cannot be read.
"""

from __future__ import annotations

import shlex
from typing import Protocol

from core.errors import AwsError, InputError, Refused
from reports.figures import megabytes
from tuner.sample import Sample

# Errors of these names say that the code does not start or ends its environment: no payload helps.
_NOT_THE_PAYLOAD = ("Runtime.", "Extension.")


class Caller(Protocol):
    """What the call is made with."""

    def invoke(self, memory_mb: int, version: str, round_number: int) -> Sample | None:
        """One sample, or None when a stop came before the call could start."""


def make_trial(caller: Caller, memory_mb: int, version: str) -> Sample | None:
    """The call of `version`, which is at `memory_mb`; None when a stop came before it.

    Raises:
        Refused, AwsError: when AWS does not run it.
    """
    return caller.invoke(memory_mb, version, 0)


def trial_line(trial: Sample) -> str:
    """What a good trial says, in a line."""
    start_ms = (trial.init_ms or 0.0) + (trial.restore_ms or 0.0)
    start = f", after {start_ms:.0f} ms to start" if trial.cold else ""
    used = "" if trial.max_memory_used_mb is None else f", {trial.max_memory_used_mb} MB in use"
    return (
        f"today's size, {megabytes(trial.memory_mb)}, answers in "
        f"{trial.duration_ms or 0.0:.1f} ms{start}{used}"
    )


def trial_doubt(trial: Sample, name: str, timeout_s: int, *, one_of_several: bool) -> str | None:
    """What a user should know of a trial that did not go well, and yet may be measured.

    None where all is well. With `one_of_several` the payload is one of more: others may do.

    Raises:
        InputError: when the function itself fails.
        Refused: when the call left no REPORT, so that none can be measured.
        AwsError: when no answer came back.
    """
    size = megabytes(trial.memory_mb)
    if trial.ran_out:
        out_of = (
            f"does not answer within the timeout of {timeout_s} s"
            if trial.error_type == "Sandbox.Timedout"
            else "runs out of memory"
        )
        return f"trial: today's size, {size}, {out_of}; others are tried all the same"
    if trial.outcome == "failed":
        error_type = trial.error_type or ""
        does_not_run = error_type.startswith(_NOT_THE_PAYLOAD)
        if one_of_several and not does_not_run:
            return (
                f"trial: function {name!r} fails for one of the payloads at {size}: {_said(trial)}"
            )
        raise InputError(
            f"trial: function {name!r} fails with this payload at {size}: {_said(trial)}; "
            "nothing was changed",
            hint="see its log; --skip-trial leaves the trial out"
            if does_not_run
            else "give the event that it expects with --payload, agree to the error with "
            f"--allow-error {shlex.quote(error_type)}, or leave the trial out with --skip-trial",
        )
    if trial.outcome == "lost":
        _refuse_lost(trial, name)
    return None


def _said(trial: Sample) -> str:
    return ": ".join(text for text in (trial.error_type, trial.error_message) if text)


def _refuse_lost(trial: Sample, name: str) -> None:
    if trial.error_type == "NoReport":
        raise Refused(
            f"trial: function {name!r} answers, but {trial.error_message}; a REPORT is what is "
            "measured, nothing was changed",
            hint="an extension that prints much at the end of a call can push it out of the tail",
        )
    raise AwsError(
        f"trial: {_said(trial)}; it may have run, nothing was changed",
        hint="see whether connections that are silent for as long as the function takes are "
        "dropped on the way to AWS, and start again",
    )
