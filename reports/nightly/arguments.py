"""A step of a plan as the command line of the child process that runs it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from reports.nightly.plan import LoadStep, TuneStep
from reports.nightly.plan_reader import PlanFile
from reports.nightly.step_options import OPTIONS_OF, option_arguments

_MODULES = {"tune": "tuner", "load": "loadgen"}


def command_of(
    step: TuneStep | LoadStep,
    plan_file: PlanFile,
    *,
    runs: Path,
    baseline: bool = False,
    sandbox: bool = False,
    region: str | None = None,
    profile: str | None = None,
    yes: bool = True,
    seed: int | None = None,
    dry_run: bool = False,
) -> list[str]:
    """The argument list that runs `step`, with its results under `runs`.

    With `baseline`, what is run is the step's baseline instead. `sandbox`, `region` and `profile`
    are those of the command line; those of the plan hold besides. A sandbox needs no account, so
    neither goes with it. A `seed` takes the place of that in the step's options.

    `-P`, because the working directory must not be where the toolkit is imported from.
    """
    plan = plan_file.plan
    arguments = [sys.executable, "-P", "-m", _MODULES[step.kind], "run"]
    arguments += ["--json", "--runs", str(runs)]
    arguments += ["--yes"] if yes else []
    arguments += ["--dry-run"] if dry_run else []
    if sandbox or plan.sandbox:
        arguments += ["--sandbox"]
    else:
        for name, value in (
            ("--region", region or plan.region),
            ("--profile", profile or plan.profile),
        ):
            arguments += [name, value] if value is not None else []
    arguments += [] if seed is None else [f"--seed={seed}"]
    arguments += _options(step, plan_file, leave_out=frozenset() if seed is None else {"seed"})
    if isinstance(step, LoadStep):
        return [*arguments, *_load_arguments(step, plan_file, baseline=baseline)]
    return [*arguments, *_tune_arguments(step, plan_file, baseline=baseline)]


def _options(
    step: TuneStep | LoadStep, plan_file: PlanFile, *, leave_out: set[str] | frozenset[str]
) -> Iterator[str]:
    options = OPTIONS_OF[step.kind]
    for name, value in step.options.items():
        if name in leave_out:
            continue
        if options.known.get(name) == "file" and isinstance(value, str):
            value = plan_file.path_of(value)
        yield from option_arguments(options, name, value)


def _load_arguments(step: LoadStep, plan_file: PlanFile, *, baseline: bool) -> list[str]:
    env, settings = step.env, dict(step.set)
    if baseline and step.baseline is not None:
        env = step.baseline.env or env
        settings |= step.baseline.set
    arguments = [] if env is None else [f"--env={env}"]
    arguments += [f"--set={path}={value}" for path, value in settings.items()]
    return [*arguments, *_last(plan_file.path_of(step.profile))]


def _tune_arguments(step: TuneStep, plan_file: PlanFile, *, baseline: bool) -> list[str]:
    function = step.function
    if baseline and step.baseline is not None:
        function = step.baseline.function or function
    arguments = []
    if step.payload is not None:
        arguments += [f"--payload={plan_file.path_of(step.payload)}"]
    if step.sizes:
        arguments += [f"--sizes={','.join(map(str, step.sizes))}"]
    if step.samples is not None:
        arguments += [f"--samples={step.samples}"]
    return [*arguments, *_last(function)]


def _last(argument: str) -> list[str]:
    return ["--", argument] if argument.startswith("-") else [argument]
