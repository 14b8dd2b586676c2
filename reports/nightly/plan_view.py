"""`reports nightly PLAN --dry-run`: the plan, each step asked what it would do, and the costs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.console import Console
from core.errors import ExitCode, Interrupted
from core.interrupt import StopRequest
from reports.figures import listed, seconds, usd
from reports.nightly.arguments import command_of
from reports.nightly.confirming import MOST_ATTEMPTS, most_runs, pairs_within
from reports.nightly.options import NightOptions
from reports.nightly.plan import NightlyPlan
from reports.nightly.plan_reader import PlanFile, chosen_steps
from reports.nightly.plan_trial import Answered, StepTrial, ask_step, run_in
from reports.regression.confirmation import FEWEST_PAIRS

# A month of nights, for people who plan with bills.
_NIGHTS_A_MONTH = 30
_DAY_S = 86_400.0


def show_plan(plan_file: PlanFile, options: NightOptions, console: Console) -> ExitCode:
    """Shows what a night would do and cost; each step says so itself, and nothing is sent.

    The exit code is that of the first step that could not run.

    Raises:
        InputError: there is no such step.
        Interrupted: it was stopped.
    """
    with TemporaryDirectory() as folder, StopRequest() as stop:
        trials = ask_steps(plan_file, options, run_in(Path(folder), stop), console.say)
        if stop.requested:
            raise Interrupted("stopped before all steps were asked", code=stop.exit_code)
    code = next((trial.exit_code for trial in trials if trial.exit_code), int(ExitCode.PASS))
    for line in plan_lines(plan_file, options, trials):
        console.show(line)
    for trial in trials:
        for error in trial.errors:
            console.error(f"{trial.step.name}: {error}")
    if console.json_output:
        document = plan_document(plan_file, options, trials, exit_code=code)
        console.document(json.dumps(document, indent=2))
    return ExitCode(code)


def ask_steps(
    plan_file: PlanFile,
    options: NightOptions,
    run: Callable[[Sequence[str]], Answered],
    say: Callable[[str], None],
) -> list[StepTrial]:
    """What each of the chosen steps would do."""
    trials = []
    for step in chosen_steps(plan_file, options.only):
        say(f"{step.name}: asking what it would do")
        command = command_of(
            step,
            plan_file,
            runs=options.runs,
            sandbox=options.sandbox,
            region=options.region,
            profile=options.profile,
            yes=False,
            dry_run=True,
        )
        trials.append(ask_step(step, command, run))
    return trials


def plan_lines(
    plan_file: PlanFile, options: NightOptions, trials: Sequence[StepTrial]
) -> Iterator[str]:
    """The plan in lines for people."""
    plan, gates = plan_file.plan, plan_file.plan.gates
    chosen = f", environment {plan_file.environment}" if plan_file.environment else ""
    yield f"{plan_file.path}: {plan.name}{chosen}"
    if plan.description:
        yield f"  {plan.description}"
    yield f"  history: {plan_file.history_place(options.history)}"
    for number, trial in enumerate(trials, start=1):
        yield f"  {number}. {trial.step.name}: {_trial_words(trial)}"
        yield from (f"     note: {note}" for note in trial.notes)
        yield from (f"     budget: {budget}" for budget in trial.step.budgets)
    yield f"  judged against the last {gates.window} nights, from {gates.min_nights} on"
    if gates.confirm.by == "rerun":
        yield from _confirm_lines(plan_file, trials)
    else:
        yield "  what looks worse fails if the next night agrees"
    yield from _cost_lines(plan_file, options, trials)


def _cost_lines(
    plan_file: PlanFile, options: NightOptions, trials: Sequence[StepTrial]
) -> Iterator[str]:
    plan, most = plan_file.plan, _most_usd(trials)
    yield f"  cost of a night: {_range_words(trials)}"
    if most:
        yield f"  {_worst_words(plan, trials)}"
        nights = _NIGHTS_A_MONTH * _DAY_S / plan.every_s
        yield (
            f"  cost of a month of {nights:.0f} nights with nothing to repeat: at most "
            f"{usd(most * nights)}"
        )
    if plan.max_usd is not None:
        yield f"  no further step or rerun begins above {usd(plan.max_usd)}"
    asking = [trial.step.name for trial in trials if trial.needs_yes]
    if asking and not options.yes:
        yield f"  without --yes, {listed(asking)} would be refused: the cost is not agreed to"
    if most and (options.sandbox or plan.sandbox):
        yield "  the sandbox bills nothing: tunings are at the list prices of AWS"


def plan_document(
    plan_file: PlanFile,
    options: NightOptions,
    trials: Sequence[StepTrial],
    *,
    exit_code: int,
) -> dict[str, Any]:
    """The same as JSON. URLs of webhooks are not in it."""
    plan = plan_file.plan
    verdicts = {0: "pass", int(ExitCode.REFUSED): "refused"}
    return {
        "schema_version": 1,
        "kind": "nightly-plan",
        "verdict": verdicts.get(exit_code, "error"),
        "exit_code": exit_code,
        "errors": [f"{trial.step.name}: {error}" for trial in trials for error in trial.errors],
        "name": plan.name,
        "path": str(plan_file.path),
        "sha256": plan_file.sha256,
        "environment": plan_file.environment,
        "history": plan_file.history_place(options.history),
        "steps": [_step_document(trial) for trial in trials],
        "cost_usd": {"least": _least_usd(trials), "most": _most_usd(trials)},
    }


def _step_document(trial: StepTrial) -> dict[str, Any]:
    step = trial.step
    return {
        "name": step.name,
        "kind": step.kind,
        "exit_code": trial.exit_code,
        "errors": list(trial.errors),
        "notes": list(trial.notes),
        "calls": trial.calls,
        "duration_s": trial.seconds,
        "time_limit_s": step.time_limit_s,
        "cost_usd": {"least": trial.least_usd, "most": trial.most_usd},
        "needs_yes": trial.needs_yes,
        "budgets": list(step.budgets),
        "command": list(trial.command),
    }


def _trial_words(trial: StepTrial) -> str:
    if trial.exit_code:
        return "could not run, see below"
    what = "requests" if trial.step.kind == "load" else "calls at most"
    calls = "requests as fast as the API answers" if trial.calls is None else ""
    parts = [calls or f"{trial.calls:,.0f} {what}"]
    if trial.seconds is not None:
        parts.append(f"{seconds(trial.seconds)} long")
    parts.append(f"ended after {seconds(trial.step.time_limit_s)} at the latest")
    return f"{', '.join(parts)}; cost {_cost(trial.least_usd, trial.most_usd)}"


def _confirm_lines(plan_file: PlanFile, trials: Sequence[StepTrial]) -> Iterator[str]:
    """How often each step could run again in one night."""
    confirm = plan_file.plan.gates.confirm
    limit = seconds(confirm.time_limit_s)
    with_baseline = [trial for trial in trials if trial.step.baseline is not None]
    parts = []
    if len(with_baseline) < len(trials):
        parts.append(_further_words(confirm.reruns))
    if with_baseline:
        parts.append(f"{confirm.pairs} pairs of runs of a step with a baseline")
    yield f"  what looks worse is measured again: {' or '.join(parts)}, within {limit}"
    for trial in with_baseline:
        fit = pairs_within(confirm.time_limit_s, trial.seconds or 0.0)
        if fit is not None and fit < confirm.pairs and trial.seconds is not None:
            few = (
                f"{fit} of {confirm.pairs} pairs of {trial.step.name} fit"
                if fit
                else (f"no pair of {trial.step.name} fits")
            )
            instead = (
                ""
                if fit >= FEWEST_PAIRS
                else f", and fewer than {FEWEST_PAIRS} tell nothing: "
                f"{_further_words(confirm.reruns)} instead"
            )
            yield f"     {few} into {limit}, at {seconds(trial.seconds)} a run{instead}"


def _further_words(reruns: int) -> str:
    return "1 further run" if reruns == 1 else f"{reruns} further runs"


def _most_further(plan: NightlyPlan, trial: StepTrial) -> int:
    """How many runs confirm a step at most, as far as its duration is known."""
    confirm = plan.gates.confirm
    if confirm.by != "rerun":
        return 0
    if trial.step.baseline is None:
        return most_runs("rerun", confirm.reruns)
    fit = pairs_within(confirm.time_limit_s, trial.seconds or 0.0)
    if fit is None or fit >= confirm.pairs:
        return most_runs("pairs", confirm.pairs)
    return confirm.reruns if fit < FEWEST_PAIRS else min(2 * fit, most_runs("pairs", confirm.pairs))


def _worst_words(plan: NightlyPlan, trials: Sequence[StepTrial]) -> str:
    """What a night costs where all goes wrong, which is what an account must bear."""
    worst = sum(
        (trial.most_usd or 0.0) * (MOST_ATTEMPTS + _most_further(plan, trial)) for trial in trials
    )
    dearest = max(trial.most_usd or 0.0 for trial in trials)
    what = "each step once more where it is invalid, and all that confirms"
    if plan.max_usd is not None and plan.max_usd + dearest < worst:
        return (
            f"with {what}: at most {usd(plan.max_usd + dearest)}, which is max_usd and the run "
            "that passes it"
        )
    return f"with {what}: at most {usd(worst)}"


def _range_words(trials: Sequence[StepTrial]) -> str:
    unknown = [trial.step.name for trial in trials if trial.most_usd is None]
    if unknown:
        return f"not known: that of {listed(unknown)} is not"
    return _cost(_least_usd(trials), _most_usd(trials))


def _cost(least: float | None, most: float | None) -> str:
    if least is None or most is None:
        return "not known"
    if most == 0:
        return usd(0)
    return f"up to {usd(most)}" if least == most else f"from {usd(least)} to {usd(most)}"


def _least_usd(trials: Sequence[StepTrial]) -> float | None:
    return _total([trial.least_usd for trial in trials])


def _most_usd(trials: Sequence[StepTrial]) -> float | None:
    return _total([trial.most_usd for trial in trials])


def _total(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
