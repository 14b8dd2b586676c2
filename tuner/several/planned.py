"""Reads and checks every function before the first is touched: what will be tuned, and how."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.aws.session import AwsSession, LocalAccess
from core.errors import FunctionNotFound, InputError, InputErrors
from reports.several_document import SkippedFunction
from tuner.facts import RunFacts
from tuner.journal import state_folder
from tuner.open_journals import check_no_run_works
from tuner.options import TuneRequest
from tuner.preparation import check_measurable, run_facts
from tuner.several.listed import Listed
from tuner.several.shares import most_part
from tuner.several.sources import Source
from tuner.target import Target, read_target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class Reached:
    """What the functions are reached with."""

    session: AwsSession
    control: LambdaClient
    local: LocalAccess | None


@dataclass(frozen=True, slots=True)
class Planned:
    """One function that is going to be tuned.

    `request` has the limits that all share. `facts` are those of a run with the most of them that
    the function can get.
    """

    request: TuneRequest
    facts: RunFacts
    events: str

    @property
    def target(self) -> Target:
        """The function, as it was when the plan was made."""
        return self.facts.target


def read_targets(
    reached: Reached, source: Source, tenant_id: str | None
) -> tuple[list[tuple[Listed, Target]], list[SkippedFunction]]:
    """The functions that can be tuned; those of a stack that no tuning fits are left out.

    Raises:
        InputError: when some do not exist, all of them at once, or two are the same.
        Refused, AwsError: when one cannot be measured now.
    """
    found: list[tuple[Listed, Target]] = []
    skipped: list[SkippedFunction] = []
    missing: list[str] = []
    for listed in source.functions:
        name = listed.name or ""
        try:
            target = read_target(reached.control, name, reached.session.region)
        except FunctionNotFound as error:
            missing.append(str(error) if source.origin is None else _of(listed, error))
            continue
        reason = _unfit(target, tenant_id) if source.origin is not None else None
        if reason is not None:
            skipped.append(SkippedFunction(name=target.name, reason=reason))
        else:
            found.append((listed, target))
    if missing:
        raise InputErrors(missing)
    _check_distinct([target for _, target in found])
    for _, target in found:
        check_measurable(target, tenant_id)
    if not found:
        reasons = "; ".join(f"{one.name}: {one.reason}" for one in skipped)
        raise InputError(f"--stack: no function of {source.origin} can be tuned ({reasons})")
    return found, skipped


def make_plans(
    reached: Reached,
    targets: Sequence[Target],
    requests: Sequence[TuneRequest],
    events: Sequence[str],
) -> list[Planned]:
    """What is going to be done with each function.

    Raises:
        InputError: when sizes and limits contradict each other.
    """
    plans = []
    for position, (target, request, words) in enumerate(
        zip(targets, requests, events, strict=True)
    ):
        limits = most_part(request.limits, position, len(targets))
        own = replace(request, limits=limits)
        facts = run_facts(own, reached.session, reached.control, target, reached.local)
        plans.append(Planned(request, facts, words))
    return plans


def check_all_free(plans: Sequence[Planned]) -> None:
    """Makes sure that no run of this user is at one of the functions.

    Raises:
        Refused: naming the run that works.
    """
    for plan in plans:
        check_no_run_works(state_folder(), plan.target.arn, plan.facts.endpoint)


def _unfit(target: Target, tenant_id: str | None) -> str | None:
    """Why no tuning fits the kind of the function; None where one does."""
    if target.unsuitable is not None:
        return target.unsuitable
    if target.isolates_tenants and tenant_id is None:
        return "it isolates tenants, and takes --tenant-id"
    return None


def _of(listed: Listed, error: FunctionNotFound) -> str:
    return f"{listed.place}: {listed.key}: {error}"


def _check_distinct(targets: Sequence[Target]) -> None:
    for target in _repeated(targets):
        raise InputError(f"FUNCTION: expected each function once (got {target.name!r} twice)")


def _repeated(targets: Sequence[Target]) -> Iterator[Target]:
    seen: set[str] = set()
    for target in targets:
        if target.arn in seen:
            yield target
        seen.add(target.arn)
