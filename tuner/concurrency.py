"""What reserved and provisioned concurrency of a function mean for a run on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.aws.session import aws_call
from core.errors import AwsError, Refused
from tuner.plan import Plan
from tuner.target import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def check_reserved(target: Target) -> None:
    """Makes sure that the function can be invoked at all.

    Raises:
        Refused: when its reserved concurrency is 0, which switches it off.
    """
    if target.reserved_concurrency == 0:
        raise Refused(
            f"function {target.name!r}: its reserved concurrency is 0, so every call is refused",
            hint="give it some, or remove the reservation; nothing was changed",
        )


def within_reserved(plan: Plan, target: Target) -> Plan:
    """`plan` with no more calls at once than the function may have, and a note where that matters.

    The function's own traffic has the same reservation.
    """
    reserved = target.reserved_concurrency
    if reserved is None or plan.parallel < reserved:
        return plan
    lowered = f"--parallel {plan.parallel} is lowered to {reserved}: " * (plan.parallel > reserved)
    whole = "the one execution" if reserved == 1 else f"all {reserved} executions"
    note = (
        f"{lowered}the run may take {whole} that the function reserves, and Lambda refuses other "
        "calls of it as long"
    )
    return replace(plan, parallel=reserved, notes=(*plan.notes, note))


def provisioned_note(client: LambdaClient, target: Target) -> str | None:
    """That provisioned concurrency has no part in the run; None where there is none.

    None as well where AWS does not say: nothing depends on it.
    """
    try:
        with aws_call("list the provisioned concurrency"):
            answer = client.list_provisioned_concurrency_configs(FunctionName=target.arn)
    except AwsError:
        return None
    qualifiers = sorted(
        config["FunctionArn"].rsplit(":", 1)[-1]
        for config in answer.get("ProvisionedConcurrencyConfigs", [])
    )
    if not qualifiers:
        return None
    return (
        f"the provisioned concurrency of {', '.join(qualifiers)} does not apply to the versions "
        "that are measured: their environments start on demand, and its price is in no cost"
    )
