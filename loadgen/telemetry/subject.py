"""What telemetry is about: a stage of an API, and the functions behind the steps of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.aws.function_metrics import CallsOf
from core.aws.gateway import GatewayReader, Route, Stage
from core.aws.gateway_metrics import StageMetrics
from core.aws.session import AwsSession
from core.errors import AwsError
from loadgen.limits import Limits
from loadgen.routes import route_of
from loadgen.steps import StepInfo
from loadgen.target import ApiRef
from reports.load_telemetry import LoadTelemetry


@dataclass(frozen=True, slots=True)
class CalledFunction:
    """A function that routes of some steps call, as they name it."""

    calls: CallsOf
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """A stage and what is behind it; `notes` say what could not be found out."""

    api: ApiRef
    functions: tuple[CalledFunction, ...]
    step_names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def stage(self) -> Stage | None:
        """The stage as AWS has it; None where it could not be read."""
        return self.api.settings

    @property
    def metrics(self) -> StageMetrics | None:
        """The metrics of the stage; None where kind, name or stage are not known."""
        api = self.api
        if api.kind is None or api.stage is None or api.name is None:
            return None
        return StageMetrics(api.kind, api.id, api.name, api.stage)


def subject_of(api: ApiRef, limits: Limits, steps: Sequence[StepInfo]) -> Subject:
    """The subject of a run whose limits were read."""
    called = [(step.function, step.qualifier, step.step) for step in limits.steps if step.function]
    return Subject(api, _grouped(called), tuple(step.name for step in steps), _notes(api))


def subject_again(
    session: AwsSession, api: ApiRef, steps: Sequence[StepInfo], before: LoadTelemetry | None
) -> Subject:
    """The subject of a run that is over, with the functions that an earlier look knew it to call.

    Routes may lead elsewhere by now.
    """
    known = [
        (one.function, one.qualifier, step.index)
        for one in (before.functions if before else ())
        for step in steps
        if step.name in one.steps
    ]
    if not known:
        return read_subject(session, api, steps)
    return Subject(api, _grouped(known), tuple(step.name for step in steps), _notes(api))


def read_subject(session: AwsSession, api: ApiRef, steps: Sequence[StepInfo]) -> Subject:
    """The subject of a run that is over, with the routes that its API has now."""
    names = tuple(step.name for step in steps)
    if api.kind is None:
        return Subject(api, (), names)
    try:
        routes = GatewayReader(session).routes(api.kind, api.id)
    except AwsError as error:
        note = f"which functions are behind the steps is unknown: {error}"
        return Subject(api, (), names, (note,))
    return Subject(api, _grouped(_called(api, routes, steps)), names, _notes(api))


def _notes(api: ApiRef) -> tuple[str, ...]:
    if api.settings is None or not api.settings.canary:
        return ()
    words = (
        f"stage {api.settings.name} has a canary: functions are those that the routes of the API "
        "name, and the stage or its canary may call others"
    )
    return (words,)


def _called(
    api: ApiRef, routes: Sequence[Route], steps: Sequence[StepInfo]
) -> Iterable[tuple[str, str | None, int]]:
    for step in steps:
        route = route_of(api.kind or "rest", routes, step.method, step.path, api.base_path)
        if route is not None and route.function is not None:
            yield route.function, route.qualifier, step.index


def _grouped(called: Iterable[tuple[str, str | None, int]]) -> tuple[CalledFunction, ...]:
    steps: dict[tuple[str, str | None], list[int]] = {}
    for function, qualifier, step in called:
        steps.setdefault((function, qualifier), []).append(step)
    return tuple(
        CalledFunction(CallsOf(function, qualifier), tuple(numbers))
        for (function, qualifier), numbers in steps.items()
    )
