"""What a run cost part by part: by REPORT lines, by metrics, or as long as the client waited."""

from __future__ import annotations

from typing import Any

import pytest

from core.aws.gateway_prices import gateway_prices
from core.aws.prices import bundled_prices
from loadgen.cost import Cost, StepFunction, StepUse, tariff
from loadgen.cost_parts import Seen, with_parts
from loadgen.outcome import OK, Cause, Evidence, Kind, Outcome
from reports.load_cost_parts import LoadCostPart
from reports.load_telemetry import (
    FunctionTelemetry,
    LoadTelemetry,
    MetricCoverage,
    MetricSpread,
    ReportTotals,
)

CHECKOUT = StepFunction(step=0, name="checkout", memory_mb=512, arch="x86_64", timeout_s=10)
REFUSED = Kind(Outcome.THROTTLED, Cause.STAGE, Evidence.CONFIGURATION)
LAMBDA_REFUSED = Kind(Outcome.THROTTLED, Cause.LAMBDA_CONCURRENCY, Evidence.ACCESS_LOG)
USES = [StepUse(0, {OK.code: 1000, REFUSED.code: 300, LAMBDA_REFUSED.code: 50}, 0, 0.2)]
REPORTS = ReportTotals(
    lines=1000, cold=10, duration_p50_ms=40, duration_p95_ms=60, duration_p99_ms=80,
    init_p50_ms=400, billed_mean_ms=54.0, billed_start_mean_ms=4.0,
)  # fmt: skip
DURATION = MetricSpread(p50=40, p90=50, p95=60, p99=80, mean=49.5, max=90, n=1000)


def telemetry(**known: Any) -> LoadTelemetry:
    function = FunctionTelemetry(
        function="checkout", steps=["POST /checkout"], state="covered", answered=1000, **known
    )
    return LoadTelemetry(
        started_unix_s=0, ended_unix_s=10, read_utc="", waited_s=0, functions=[function],
        coverage=MetricCoverage(state="covered", answered=1000, unanswered=0),
    )  # fmt: skip


def parts(
    seen: LoadTelemetry | None, region: str = "us-east-1", billing: Any = "rest"
) -> dict[str, LoadCostPart]:
    listed = tariff(billing, region, [CHECKOUT], gateway_prices(), bundled_prices())
    cost = with_parts(Cost(1.0, ()), listed, USES, Seen(seen, 2_000_000_000), billed=True)
    assert (cost.usd, cost.as_if) == (1.0, False)
    return {part.part: part for part in cost.parts}


def test_report_lines_tell_run_and_start_apart() -> None:
    found = parts(telemetry(reports=REPORTS, duration_ms=DURATION))
    # 1,000 calls of half a GB: 50 ms each run, 4 ms each INIT.
    assert found["lambda_duration"].amount == pytest.approx(25.0)
    assert found["lambda_init"].amount == pytest.approx(2.0)
    assert found["lambda_duration"].usd == pytest.approx(25.0 * 0.0000166667)
    assert found["lambda_duration"].bound == "about"


def test_what_is_refused_is_charged_as_far_as_it_came() -> None:
    found = parts(None)
    # The gateway charges what Lambda refuses; Lambda does not.
    assert found["api_requests"].amount == 1050
    assert found["api_requests"].usd == pytest.approx(1050 * 3.5e-6)
    assert found["lambda_requests"].amount == 1000


def test_metrics_know_no_init_and_lack_half_a_millisecond_of_rounding() -> None:
    found = parts(telemetry(duration_ms=DURATION))
    assert found["lambda_duration"].amount == pytest.approx(25.0)
    assert found["lambda_init"].amount is None
    assert found["lambda_init"].usd is None
    assert "no REPORT line was read" in found["lambda_init"].detail


def test_without_either_a_call_is_as_long_as_the_client_waited() -> None:
    found = parts(None)
    assert found["lambda_duration"].amount == pytest.approx(100.0)
    assert found["lambda_duration"].bound == "at_most"
    assert "in the service time" in found["lambda_init"].detail


def test_volumes_have_their_prices_or_none() -> None:
    found = parts(None)
    assert found["data_transfer"].usd == pytest.approx(2 * 0.09)
    assert found["logs"].usd == pytest.approx(290 * 1000 / 1e9 * 0.5)
    assert found["logs"].bound == "at_least"
    elsewhere = parts(None, "eu-central-1")
    assert (elsewhere["logs"].usd, elsewhere["data_transfer"].usd) == (None, None)
    assert "no price of log ingestion in eu-central-1" in elsewhere["logs"].detail


@pytest.mark.parametrize(
    ("region", "billing", "part"),
    [("mx-central-1", "rest", "api_requests"), ("eu-central-1", "http", "api_requests"),
     ("nowhere-1", "rest", "lambda_duration")],
    ids=["no REST price", "no HTTP price", "no Lambda price"],
)  # fmt: skip
def test_a_part_without_a_price_says_so(region: str, billing: str, part: str) -> None:
    found = parts(None, region, billing)[part]
    assert found.usd is None
    assert found.detail.startswith("no ")


def test_a_function_url_has_no_fee_and_unknown_functions_no_amount() -> None:
    assert "api_requests" not in parts(None, billing="function_url")
    listed = tariff("rest", "us-east-1", [], gateway_prices(), bundled_prices())
    cost = with_parts(Cost(None, ()), listed, USES, Seen(None, 0), billed=False)
    found = {part.part: part for part in cost.parts}
    assert cost.as_if
    assert (found["lambda_requests"].amount, found["lambda_duration"].amount) == (None, None)
    assert "logs" not in found
    assert with_parts(Cost(0.0, ()), None, USES, Seen(None, 0), billed=True).parts == ()
