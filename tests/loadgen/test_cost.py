"""Costs: a range with its assumptions before a run, an upper bound from what happened after it."""

from __future__ import annotations

import pytest

from core.aws.gateway_prices import gateway_prices
from core.aws.prices import bundled_prices
from loadgen.cost import Billing, StepFunction, StepUse, Tariff, estimate, spent, tariff
from loadgen.expected import expected
from loadgen.outcome import OK, Cause, Evidence, Kind, Outcome
from loadgen.profile.model import Profile
from loadgen.schedule import plan_phases

CHECKOUT = StepFunction(step=0, name="checkout", memory_mb=512, arch="x86_64", timeout_s=10)


def of(billing: Billing, region: str | None = "us-east-1", *functions: StepFunction) -> Tariff:
    return tariff(billing, region, functions, gateway_prices(), bundled_prices())


def use(counts: dict[Kind, int], *, step: int = 0, cut: int = 0, mean_s: float = 0.1) -> StepUse:
    return StepUse(step, {kind.code: n for kind, n in counts.items()}, cut, mean_s)


@pytest.mark.parametrize(
    ("billing", "region", "usd_per_million"),
    [
        ("rest", "us-east-1", 3.50),
        ("http", "us-east-1", 1.00),
        ("rest", "eu-central-1", 3.70),
        ("http", "eu-central-1", None),
        ("rest", "mx-central-1", None),
        ("rest", None, None),
        ("unknown", "us-east-1", None),
        ("local", None, 0.0),
        ("function_url", "us-east-1", 0.0),
    ],
)
def test_a_price_is_known_or_stated_unknown_and_never_guessed(
    billing: Billing, region: str | None, usd_per_million: float | None
) -> None:
    found = estimate(of(billing, region), 1e6, [1e6])
    if usd_per_million is None:
        assert found.least_usd is None
        assert found.most_usd is None
        assert found.detail[0].startswith("cost unknown:")
    else:
        assert found.least_usd == pytest.approx(usd_per_million)


def test_the_range_before_a_run_states_what_it_assumes() -> None:
    found = estimate(of("rest", "us-east-1", CHECKOUT), 1e6, [1e6])
    price = bundled_prices().lambda_price("us-east-1", "x86_64")
    assert found.least_usd == pytest.approx(3.5 + 1e6 * price.invocation_usd(512, 10))
    assert found.most_usd == pytest.approx(3.5 + 1e6 * price.invocation_usd(512, 1000))
    text = " ".join(found.detail)
    assert "10 ms to 1 s" in text
    assert "checkout" in text
    assert "prices of 2026-08-12" in text


def test_no_call_takes_longer_than_its_timeout() -> None:
    quick = StepFunction(step=0, name="f", memory_mb=1024, arch="arm64", timeout_s=0.5)
    price = bundled_prices().lambda_price("us-east-1", "arm64")
    found = estimate(of("function_url", "us-east-1", quick), 100, [100])
    assert found.most_usd == pytest.approx(100 * price.invocation_usd(1024, 500))


def test_http_apis_bill_large_bodies_in_units() -> None:
    prices = gateway_prices(), bundled_prices()
    plan = tariff("http", "us-east-1", [], *prices, {0: 512 * 1024, 1: 512 * 1024 + 1})

    found = estimate(plan, 3e6, [1e6, 2e6])

    assert found.least_usd == pytest.approx(1.0 + 2 * 2.0)
    assert "bodies above 512 KB are billed as several requests" in found.detail
    use = [StepUse(1, {OK.code: 1_000_000}, 0, 0.1)]
    assert spent(plan, use).usd == pytest.approx(2.0)


def test_users_make_a_number_that_nobody_knows_before() -> None:
    found = estimate(of("rest"), None, [])
    assert found.most_usd is None
    assert "users" in found.detail[0]


def test_what_a_range_leaves_out_is_said() -> None:
    assert "memory is not known" in estimate(of("rest"), 1000, [1000]).detail[-1]


BILLED = {
    "ok": Kind(Outcome.OK),
    "what the application refuses": Kind(Outcome.THROTTLED, Cause.APPLICATION, Evidence.RULE),
    "what Lambda throttles": Kind(Outcome.THROTTLED, Cause.LAMBDA_CONCURRENCY, Evidence.METRICS),
    "a refusal of unknown origin": Kind(Outcome.THROTTLED, Cause.UNKNOWN, Evidence.WIRE),
    "an error of the server": Kind(Outcome.SERVER_ERROR),
    "a failed check": Kind(Outcome.CHECK_FAILED),
    "no answer in time": Kind(Outcome.TIMEOUT, Cause.RESPONSE_TIMEOUT, Evidence.WIRE),
    "a reset": Kind(Outcome.CONNECTION_ERROR, Cause.RESET, Evidence.WIRE),
}
FREE = {
    "a throttle": Kind(Outcome.THROTTLED, Cause.THROTTLE, Evidence.WIRE),
    "the throttle of a stage": Kind(Outcome.THROTTLED, Cause.STAGE, Evidence.ACCESS_LOG),
    "a quota": Kind(Outcome.THROTTLED, Cause.QUOTA, Evidence.WIRE),
    "failed authorisation": Kind(Outcome.CLIENT_ERROR, Cause.AUTHORIZER, Evidence.WIRE),
    "no connection": Kind(Outcome.CONNECTION_ERROR, Cause.REFUSED, Evidence.WIRE),
    "no name": Kind(Outcome.CONNECTION_ERROR, Cause.DNS, Evidence.WIRE),
}


@pytest.mark.parametrize("kind", BILLED.values(), ids=BILLED)
def test_the_gateway_bills(kind: Kind) -> None:
    assert spent(of("rest"), [use({kind: 1_000_000})]).usd == pytest.approx(3.5)


@pytest.mark.parametrize("kind", FREE.values(), ids=FREE)
def test_the_gateway_does_not_bill(kind: Kind) -> None:
    assert spent(of("rest"), [use({kind: 1_000_000})]).usd == 0


def test_requests_that_were_cut_may_have_been_billed() -> None:
    assert spent(of("http"), [use({}, cut=1_000_000)]).usd == pytest.approx(1.0)


def test_functions_are_taken_to_have_run_for_the_whole_service_time() -> None:
    throttled = Kind(Outcome.THROTTLED, Cause.LAMBDA_CONCURRENCY, Evidence.METRICS)
    found = spent(of("rest", "us-east-1", CHECKOUT), [use({OK: 1000, throttled: 500})])
    call = bundled_prices().lambda_price("us-east-1", "x86_64").invocation_usd(512, 100)
    assert found.usd == pytest.approx(1500 * 3.5e-6 + 1000 * call)
    assert "at most" in " ".join(found.detail)


def test_a_local_target_costs_nothing_and_an_unknown_one_has_no_figure() -> None:
    uses = [use({OK: 1000})]
    assert spent(of("local"), uses).usd == 0
    assert spent(of("unknown"), uses).usd is None


def test_a_region_without_a_lambda_price_has_no_figure() -> None:
    plan = of("function_url", "xx-north-1", CHECKOUT)
    assert estimate(plan, 10, [10]).most_usd is None
    assert spent(plan, [use({OK: 10})]).usd is None


def test_expected_requests_are_arrivals_times_the_steps_of_their_flows() -> None:
    profile = Profile.model_validate(
        {
            "version": 1,
            "name": "p",
            "target": {"url": "http://localhost"},
            "load": {
                "unit": "scenarios",
                "phases": [
                    {"name": "all", "duration": "10s", "rate": 4.0},
                    {"name": "one", "duration": "10s", "rate": 1.0, "scenarios": ["a"]},
                    {"name": "at once", "burst": 30},
                ],
            },
            "scenarios": [
                {"name": "a", "weight": 3.0, "flow": [{"get": "/1"}]},
                {"name": "b", "flow": [{"get": "/2"}, {"think": "1s"}, {"get": "/3"}]},
            ],
        }
    )
    found = expected(profile, plan_phases(profile))
    assert found.by_step == pytest.approx((0.75 * 70 + 10, 0.25 * 70, 0.25 * 70))
    assert found.requests == pytest.approx(sum(found.by_step))
    assert found.peak_rps == pytest.approx(30 * 1.25)
    assert found.duration_s == 20
