"""What a plan says of itself before it is agreed to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.aws.prices import bundled_prices
from core.console import Console
from reports.figures import SPACE
from tests.tuner.run_rig import tune_options
from tuner.options import check_options
from tuner.plan import Plan
from tuner.strategy import make_plan
from tuner.target import Target
from tuner.view import plan_document, show_plan

PRICE = bundled_prices().lambda_price("us-east-1", "x86_64")
TARGET = Target(
    name="orders",
    arn="arn:aws:lambda:us-east-1:123456789012:function:orders",
    memory_mb=512,
    description="",
    timeout_s=10,
    runtime="python3.13",
    arch="x86_64",
    code_sha256="code",
    revision_id="1",
    storage_mb=512,
    log_format="Text",
    settled=True,
    update_failure=None,
)


def plan_of(**given: Any) -> Plan:
    return make_plan(check_options(tune_options("orders", **given)), TARGET)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(
            {},
            [
                "plan: adaptive, up to 55 invocations, usually about 29",
                "sizes: starts at 128, 512 and 1,024 MB; chooses among 31 sizes from 128 MB",
                "the latter if every call took its timeout at the largest size",
            ],
            id="adaptive",
        ),
        pytest.param(
            {"thorough": True},
            ["plan: thorough, up to 400 invocations, usually about 120"],
            id="thorough",
        ),
        pytest.param(
            {"max_invocations": 20}, ["plan: adaptive, up to 19 invocations"], id="fewer calls"
        ),
        pytest.param(
            {"slo": "p95 < 300ms"},
            ["up to 572 invocations; to show that a size keeps p95 < 300 ms takes 59 samples"],
            id="a limit",
        ),
        pytest.param({"max_usd": 0.001}, ["0, the limit on the bill"], id="a limit on the bill"),
        pytest.param(
            {"sizes": "128,512", "samples": 5, "parallel": 9},
            [
                "plan: 2 sizes x (1 cold + 5 warm) = 12 invocations, 2 at a time",
                "sizes: 128 and 512 MB",
                "if every call took its timeout and many had to be repeated",
            ],
            id="fixed",
        ),
        pytest.param(
            {"cold_samples": 5},
            ["cold starts: 5 each at up to 4 sizes, by versions of their own"],
            id="cold samples",
        ),
    ],
)
def test_a_plan_says_what_it_does_and_costs(
    given: dict[str, Any], said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    show_plan(Console(), TARGET, "us-east-1", plan_of(**given), PRICE)

    shown = capsys.readouterr().err.replace(SPACE, " ")
    assert [line for line in said if line not in shown] == []


def test_an_adaptive_plan_as_json_has_candidates_and_where_it_starts() -> None:
    plan = json.loads(plan_document(TARGET, "us-east-1", plan_of(), PRICE))["plan"]

    assert (plan["kind"], plan["invocations"], plan["usual_invocations"]) == ("adaptive", 55, 29)
    assert plan["samples_per_size"] is None
    assert plan["start_mb"] == [128, 512, 1024]
    assert set(plan["start_mb"]) < set(plan["sizes_mb"])


def test_a_fixed_plan_as_json_has_its_sizes() -> None:
    plan = json.loads(plan_document(TARGET, "us-east-1", plan_of(sizes="128,512"), PRICE))["plan"]

    assert (plan["kind"], plan["invocations"], plan["samples_per_size"]) == ("fixed", 22, 10)
    assert plan["sizes_mb"] == [128, 512]
    assert "start_mb" not in plan
