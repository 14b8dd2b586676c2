"""Reserved concurrency bounds a run, provisioned concurrency has no part in it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.aws.session import AwsSession
from core.errors import Refused
from tests.core.aws_server import answer, aws_server
from tests.tuner.test_target_kinds import ARN, read
from tuner.concurrency import check_reserved, provisioned_note, within_reserved
from tuner.plan import FixedPlan

PLAN = FixedPlan((128, 512, 1024), 10, parallel=3, seed=1, notes=("first",))
# ListProvisionedConcurrencyConfigs (Lambda API reference).
PROVISIONED = {
    "ProvisionedConcurrencyConfigs": [
        {
            "FunctionArn": f"{ARN}:{qualifier}",
            "RequestedProvisionedConcurrentExecutions": 5,
            "AvailableProvisionedConcurrentExecutions": 5,
            "AllocatedProvisionedConcurrentExecutions": 5,
            "Status": "READY",
            "LastModified": "2026-03-04T10:00:00+0000",
        }
        for qualifier in ("live", "7")
    ]
}


@pytest.mark.parametrize(
    ("reserved", "parallel", "said"),
    [
        pytest.param(None, 3, "", id="none"),
        pytest.param(10, 3, "", id="more than enough"),
        pytest.param(3, 3, "the run may take all 3 executions that the function", id="just enough"),
        pytest.param(2, 2, "--parallel 3 is lowered to 2: the run may take all 2", id="too few"),
        pytest.param(1, 1, "--parallel 3 is lowered to 1: the run may take the one", id="one"),
    ],
)
def test_a_run_takes_no_more_than_is_reserved(
    reserved: int | None, parallel: int, said: str
) -> None:
    target = replace(read({}), reserved_concurrency=reserved)

    plan = within_reserved(PLAN, target)

    assert plan.parallel == parallel
    assert plan.notes[0] == "first"
    assert plan.notes[1:] == () if not said else plan.notes[1].startswith(said)


def test_a_function_that_is_switched_off_is_refused() -> None:
    with pytest.raises(Refused, match="its reserved concurrency is 0"):
        check_reserved(replace(read({}), reserved_concurrency=0))


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        pytest.param(PROVISIONED, "200 OK", "concurrency of 7, live does not apply", id="some"),
        pytest.param({"ProvisionedConcurrencyConfigs": []}, "200 OK", None, id="none"),
        pytest.param({"Message": "not authorized"}, "403 Forbidden", None, id="not allowed"),
    ],
)
def test_provisioned_concurrency_is_said_to_have_no_part(
    body: dict[str, object], status: str, said: str | None
) -> None:
    headers = () if status == "200 OK" else ("x-amzn-ErrorType: AccessDeniedException",)
    found = answer(json.dumps(body).encode(), *headers, status=status)

    with aws_server(lambda request: found) as server:
        client = AwsSession(local=server.access).control_lambda()
        note = provisioned_note(client, read({}))
        client.close()

    assert note is None if said is None else said in (note or "")
