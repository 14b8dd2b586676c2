"""Which options of `tune` and of `loadgen run` a step of a plan can have, and why not the others.

A table, because this package knows neither command; a test holds it against the help of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.located_model import did_you_mean

Takes = Literal["flag", "switch", "value", "values", "file"]
Given = str | bool | int | float | list[str]


@dataclass(frozen=True, slots=True)
class StepOptions:
    """Of one command: what each option takes, and why a step cannot have the others.

    A flag is given or not; a switch has an opposite (`--no-NAME`); a value may stand once, values
    may be repeated, and a file is a path relative to the plan's file.
    """

    command: str
    known: Mapping[str, Takes]
    refused: Mapping[str, str]


_BY_THE_NIGHT = "the night says this itself: leave it out"
_OF_THE_STEP = "is a key of the step itself: write it beside options"
_OF_THE_PLAN = "is a key of the plan, and the same for all of its steps"
_CHANGES = "a night measures, and changes nothing: see `tune apply` for afterwards"
_ONE_EACH = "a step tunes one function: write a step for each"
_NO_ONE_WATCHES = "nobody watches a night: leave it out"

_OF_EVERY_COMMAND = dict.fromkeys(
    ("json", "quiet", "verbose", "help", "version", "runs", "export", "dry-run", "yes"),
    _BY_THE_NIGHT,
) | {
    "chart": _NO_ONE_WATCHES,
    "region": _OF_THE_PLAN,
    "profile": _OF_THE_PLAN,
    "sandbox": _OF_THE_PLAN,
}

TUNE_OPTIONS = StepOptions(
    command="tune",
    known={
        "payload-json": "value",
        "payloads": "file",
        "tenant-id": "value",
        "pre": "value",
        "post": "value",
        "hook-timeout": "value",
        "min-memory": "value",
        "max-memory": "value",
        "thorough": "flag",
        "cold-samples": "value",
        "cold-only": "flag",
        "arch": "value",
        "arch-function": "value",
        "discard": "value",
        "discard-first": "value",
        "allow-error": "values",
        "sleep": "value",
        "parallel": "value",
        "skip-trial": "flag",
        "objective": "value",
        "weight": "value",
        "slo": "value",
        "knee": "value",
        "max-invocations": "value",
        "max-usd": "value",
        "max-seconds": "value",
        "cold-share": "value",
        "requests-per-month": "value",
        "price-file": "file",
        "server-price-file": "file",
        "keep-outputs": "flag",
        "seed": "value",
    },
    refused=_OF_EVERY_COMMAND
    | dict.fromkeys(("payload", "sizes", "samples"), _OF_THE_STEP)
    | dict.fromkeys(("apply", "shift-share", "shift-seconds", "check", "alarm"), _CHANGES)
    | dict.fromkeys(("stack", "only", "except", "stage"), _ONE_EACH)
    | {
        "power-tuning": "write what the file has as options of the step",
        "test-run": "a test run recommends nothing, so there is nothing to judge",
    },
)
LOAD_OPTIONS = StepOptions(
    command="loadgen run",
    known={
        "processes": "value",
        "seed": "value",
        "records": "switch",
        "logs": "switch",
    },
    refused=_OF_EVERY_COMMAND
    | dict.fromkeys(("env", "set"), _OF_THE_STEP)
    | dict.fromkeys(("ui", "ui-port"), _NO_ONE_WATCHES),
)
OPTIONS_OF = {"tune": TUNE_OPTIONS, "load": LOAD_OPTIONS}


def option_fault(options: StepOptions, name: str, value: object, got: str) -> str | None:
    """What is wrong with an option of a step, in words; None where nothing is.

    `got` is how a message ends that shows the value.
    """
    if name.startswith("-") and name.lstrip("-") in {**options.known, **options.refused}:
        return f"is written without dashes: {name.lstrip('-')}"
    if name in options.refused:
        return options.refused[name]
    if name not in options.known:
        return f"{options.command} has no such option{did_you_mean(name, options.known.keys())}"
    takes = options.known[name]
    is_yes_or_no = isinstance(value, bool)
    if takes in ("flag", "switch") and not is_yes_or_no:
        return f"must be true or false {got}"
    if takes not in ("flag", "switch") and is_yes_or_no:
        return f"must have a value {got}"
    if isinstance(value, list) and takes != "values":
        return f"must be one value {got}"
    return None


def option_arguments(options: StepOptions, name: str, value: Given) -> list[str]:
    """An option as arguments of its command."""
    if isinstance(value, bool):
        if value:
            return [f"--{name}"]
        return [f"--no-{name}"] if options.known.get(name) == "switch" else []
    values = value if isinstance(value, list) else [value]
    # In one argument, because a value may begin with a dash.
    return [f"--{name}={each}" for each in values]
