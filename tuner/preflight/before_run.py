"""The short preflight of a run itself: one call, and only what a user should know before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.console import Console
from tuner.facts import RunFacts
from tuner.preflight.account_checks import check_account, versions_of
from tuner.preflight.finding import Finding
from tuner.preflight.function_checks import check_update
from tuner.preflight.reading import asked, read_limits

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def warn_before(facts: RunFacts, control: LambdaClient, console: Console) -> None:
    """Says what may spoil the run, in a line each; nothing where AWS does not tell."""
    for line in warnings_before(facts, control):
        console.warn(line)


def warnings_before(facts: RunFacts, control: LambdaClient) -> list[str]:
    """What may spoil the run, in a line each; nothing where AWS does not tell."""
    return [
        finding.line
        for finding in _findings(facts, control)
        if finding.state in ("warning", "problem")
    ]


def _findings(facts: RunFacts, control: LambdaClient) -> Iterator[Finding]:
    target, plan = facts.target, facts.plan
    failure = target.borrowed.update_failure
    if failure is not None:
        yield check_update("Failed", failure)
    needed_bytes = target.code_bytes * versions_of(plan)
    limits = asked(lambda: read_limits(control))
    yield from check_account(limits, target.reserved_concurrency, plan.parallel, needed_bytes)
