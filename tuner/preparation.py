"""What a run works on, before anything is changed: the function as it is, the plan, the prices."""

from __future__ import annotations

import secrets
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.aws.limits import MEMORY_PER_VCPU_MB, vcpu_share
from core.aws.session import AwsSession, LocalAccess
from core.errors import Refused
from reports.figures import megabytes
from tuner.concurrency import check_reserved, provisioned_note, within_reserved
from tuner.facts import RunFacts, recorded_command
from tuner.hook_kinds.asked import hooks_note
from tuner.interference import check_free
from tuner.objective import SloLimit
from tuner.options import TuneRequest
from tuner.plan import FixedPlan, Plan, doubts
from tuner.qualified import qualified_notes, version_of
from tuner.slo import too_few_note
from tuner.snap_start import snap_start_note
from tuner.strategy import make_plan
from tuner.target import Target, check_usable, read_target, split_function
from tuner.tenancy import check_tenant, tenancy_note
from tuner.usage import given_usage

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def read_usable(
    control: LambdaClient, function: str, region: str, tenant_id: str | None = None
) -> Target:
    """`function`, when it can be borrowed and measured, for `tenant_id` if given.

    That is `$LATEST`, or the version that is named or that an alias leads to.

    Raises:
        InputError, Refused, AwsError: when it cannot.
    """
    name, qualifier = split_function(function)
    target = read_target(control, name, region)
    if qualifier is not None:
        check_usable(target)
        target = version_of(control, target, qualifier, region)
    check_measurable(target, tenant_id)
    return target


def check_measurable(target: Target, tenant_id: str | None = None) -> None:
    """Makes sure that a function can be borrowed and measured, for `tenant_id` if given.

    Raises:
        InputError, Refused, AwsError: when it cannot.
    """
    check_usable(target)
    check_free(target.borrowed)
    check_tenant(target, tenant_id)
    check_reserved(target)
    if not target.logs_reports:
        # Every call would be paid for and none measured.
        raise Refused(
            f"function {target.name!r}: its system log level hides the REPORT lines that are "
            "measured",
            hint="set LoggingConfig.SystemLogLevel to INFO; nothing was changed",
        )


def run_facts(
    request: TuneRequest,
    session: AwsSession,
    control: LambdaClient,
    target: Target,
    local: LocalAccess | None,
) -> RunFacts:
    """All that is known of a run on `target` before it begins; its usage only where it is given.

    Raises:
        InputError: when sizes and limits contradict each other.
    """
    plan = within_reserved(make_plan(request, target), target)
    account = session.account_id()
    facts = RunFacts(
        run_id=secrets.token_hex(6),
        target=target,
        plan=_with_notes(
            plan,
            target,
            request.goal.slo,
            provisioned_note(control, target),
            hooks_note(request.hooks),
            *qualified_notes(target),
            *request.options.notes,
        ),
        payloads=request.payloads,
        calls=request.calls,
        price=request.prices.lambda_price(session.region, target.arch),
        price_table=request.prices,
        server_prices=request.server_prices,
        region=session.region,
        account=account,
        endpoint=session.custom_endpoint(control),
        command=recorded_command(["tune", *sys.argv[1:]]),
        started=datetime.now(UTC),
        goal=request.goal,
        limits=request.limits,
        tenant_id=request.options.tenant_id,
        hooks=request.hooks,
    )
    if not request.usage.reads_aws:
        facts.usage = given_usage(request.usage)
    if account is None:
        facts.notes.append("the account is unknown: STS did not answer")
    _note_host(facts, local)
    return facts


def _with_notes(plan: Plan, target: Target, limit: SloLimit | None, *more: str | None) -> Plan:
    """`plan` with what a user should know of it before it is paid for; `more` comes last."""
    fewest_samples = 0
    if isinstance(plan, FixedPlan):
        # Not at the top: it imports scipy, which takes longer than most mistakes to be found.
        from tuner.estimate import MIN_SAMPLES_FOR_INTERVAL as fewest_samples
    most_samples = plan.samples_per_size if isinstance(plan, FixedPlan) else plan.most_calls
    found = (
        snap_start_note(plan, target.runtime) if target.snap_start else None,
        tenancy_note(target, max(plan.sizes_mb)),
        too_few_note(limit, most_samples) if limit else None,
        *more,
    )
    notes = (*doubts(plan, fewest_samples=fewest_samples), *(note for note in found if note))
    return replace(plan, notes=(*plan.notes, *notes))


def _note_host(facts: RunFacts, local: LocalAccess | None) -> None:
    """Says which sizes stand for more CPU than the machine under the sandbox has."""
    if local is None or vcpu_share(max(facts.plan.sizes_mb)) <= local.host_cores:
        return
    most_mb = local.host_cores * MEMORY_PER_VCPU_MB
    facts.notes.append(
        f"sizes above {megabytes(most_mb)} have more vCPUs than this machine's "
        f"{local.host_cores} cores: code with more busy threads would be faster on AWS"
    )
