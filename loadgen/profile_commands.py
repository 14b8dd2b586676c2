"""`loadgen validate` and `loadgen schema`: what a profile does, and what profiles can say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.console import Console
from core.errors import ExitCode
from core.layers import environment_names
from loadgen.expected import Expected, expected
from loadgen.profile.model import Bursts, Profile, Target
from loadgen.profile.reader import ProfileFile, read_profile
from loadgen.profile.schema import profile_schema
from loadgen.schedule import PhasePlan, plan_phases
from loadgen.steps import StepInfo, step_infos
from reports.atomic_file import write_atomically
from reports.figures import listed, part_of, seconds, significant

_WIDTH = 10


def validate_profile(
    path: Path, *, environment: str | None, settings: Sequence[str], console: Console
) -> ExitCode:
    """Shows what a profile does.

    Raises:
        InputError: the file cannot be read, or there is no such environment.
        InputErrors: something in it is not right; all that is.
    """
    file = read_profile(path, environment=environment, settings=settings)
    phases = plan_phases(file.profile)
    amount = expected(file.profile, phases)
    if console.verbosity < 0:
        console.show_lines(f"{path}: {file.profile.name} is in order")
    else:
        console.show_lines("\n".join(summary_lines(file, phases, amount)))
    if console.json_output:
        console.document(json.dumps(summary_document(file, phases, amount)))
    return ExitCode.PASS


def write_schema(output: Path | None, console: Console) -> ExitCode:
    """Writes the JSON Schema of profiles to a file, or to stdout.

    Raises:
        InputError: the file cannot be written.
    """
    text = json.dumps(profile_schema(), indent=2) + "\n"
    if output is None:
        console.document(text)
    else:
        write_atomically(output, text)
        console.say(f"written: {output}")
    return ExitCode.PASS


def summary_lines(
    file: ProfileFile, phases: Sequence[PhasePlan], amount: Expected
) -> Iterator[str]:
    """What a profile does, in lines for people."""
    profile = file.profile
    yield f"{file.path}: {profile.name} is in order"
    if profile.description:
        yield f"  {profile.description}"
    yield _line("target", target_words(profile.target))
    yield _line("auth", _auth_words(profile))
    yield _line("model", _model_words(profile))
    for label, text in zip(_labels("phases"), _phase_lines(phases), strict=False):
        yield _line(label, text)
    yield _line("requests", amount_words(amount))
    for label, text in zip(_labels("steps"), _step_lines(profile), strict=False):
        yield _line(label, text)
    if profile.thresholds:
        yield _line("judged by", _count(len(profile.thresholds), "threshold"))
    names = sorted(environment_names(file.document))
    if names:
        chosen = f"{file.environment} of " if file.environment else ""
        yield _line("--env", f"{chosen}{', '.join(names)}")


def summary_document(
    file: ProfileFile, phases: Sequence[PhasePlan], amount: Expected
) -> dict[str, Any]:
    """The same as JSON. Credentials are not in it."""
    profile = file.profile
    return {
        "schema_version": 1,
        "verdict": "pass",
        "exit_code": int(ExitCode.PASS),
        "errors": [],
        "profile": {
            "path": str(file.path),
            "name": profile.name,
            "sha256": file.sha256,
            "environment": file.environment,
            "environments": sorted(environment_names(file.document)),
            "target": profile.target.model_dump(exclude_none=True),
            "auth": profile.auth.type,
            "model": profile.load.model,
            "unit": profile.load.unit,
            "phases": [_phase_document(plan) for plan in phases],
            "steps": [_step_document(step) for step in step_infos(profile)],
            "thresholds": len(profile.thresholds),
        },
        "expected": {
            "requests": amount.requests,
            "peak_rps": amount.peak_rps,
            "duration_s": amount.duration_s,
        },
    }


def target_words(target: Target) -> str:
    """Where a profile sends its requests."""
    if target.url is not None:
        return target.url
    if target.function_url is not None:
        return f"function URL of {target.function_url}"
    api = target.api
    if api is None:
        return "nothing"
    kind = {"rest": "REST API", "http": "HTTP API", None: "API"}[api.kind]
    stage = f", stage {api.stage}" if api.stage else ""
    region = f" in {api.region}" if api.region else ""
    return f"{kind} {api.name or api.id}{stage}{region}"


def amount_words(amount: Expected) -> str:
    """How many requests, over how long, at most how fast."""
    length = seconds(amount.duration_s)
    if amount.requests is None:
        return f"as many as the users make in {length}"
    return (
        f"about {amount.requests:,.0f} in {length}, at most {significant(amount.peak_rps)} a second"
    )


def _line(label: str, text: str) -> str:
    return f"  {label:<{_WIDTH}} {text}"


def _labels(first: str) -> Iterator[str]:
    yield first
    while True:
        yield ""


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _auth_words(profile: Profile) -> str:
    own = [scenario.auth for scenario in profile.scenarios]
    own += [step.auth for scenario in profile.scenarios for step in scenario.flow]
    kinds = sorted({auth.type for auth in own if auth is not None} - {profile.auth.type})
    words = profile.auth.type.replace("_", " ")
    others = [kind.replace("_", " ") for kind in kinds]
    return f"{words}, and {listed(others)} where scenarios or steps say so" if kinds else words


def _model_words(profile: Profile) -> str:
    load = profile.load
    most = f"at most {load.max_in_flight:,} requests in flight"
    if load.model == "closed":
        source = "of a locustfile" if profile.locustfile else "of the scenarios"
        return f"closed: users {source}"
    arrivals = load.arrivals
    words = f"bursts of {arrivals.size}" if isinstance(arrivals, Bursts) else arrivals
    return f"open: {words} arrivals, {most}"


def _phase_lines(phases: Sequence[PhasePlan]) -> Iterator[str]:
    widest = max((len(plan.name) for plan in phases), default=0)
    for plan in phases:
        length = plan.to_s - plan.from_s
        has_length = plan.kind not in ("burst", "search")
        parts = [f"{plan.words} for {seconds(length)}" if has_length else plan.words]
        if not plan.measured and plan.kind != "pause":
            parts.append("not measured")
        yield f"{plan.name:<{widest}}  {', '.join(parts)}"


def _step_lines(profile: Profile) -> Iterator[str]:
    if profile.locustfile is not None:
        users = listed(profile.locustfile.users) if profile.locustfile.users else "all users"
        yield f"{users} of {profile.locustfile.file}"
    whole = sum(scenario.weight for scenario in profile.scenarios)
    steps = step_infos(profile)
    for scenario in profile.scenarios:
        names = [step.name for step in steps if step.scenario == scenario.name]
        yield f"{scenario.name} ({part_of(scenario.weight, whole)}): {', '.join(names)}"


def _phase_document(plan: PhasePlan) -> Mapping[str, Any]:
    return {
        "name": plan.name,
        "kind": plan.kind,
        "words": plan.words,
        "from_s": plan.from_s,
        "to_s": plan.to_s,
        "measured": plan.measured,
        "expected_arrivals": plan.expected,
        "peak_rps": plan.peak_rps,
    }


def _step_document(step: StepInfo) -> Mapping[str, Any]:
    return {"scenario": step.scenario, "name": step.name, "method": step.method}
