"""Costs, bodies, checks and the view of a preflight, from made values."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.aws.gateway_prices import gateway_prices
from core.aws.prices import bundled_prices
from core.console import Console
from core.errors import InputError
from loadgen.body_sizes import body_sizes
from loadgen.cost import Billing, StepFunction, tariff
from loadgen.preflight.costs import Counts, predicted_cost
from loadgen.preflight.durations import StepDuration, given_durations
from loadgen.preflight.view import show_preflight
from loadgen.steps import step_infos
from reports.load_document import TargetFacts
from reports.load_prediction import (
    FunctionConcurrency,
    LoadPrediction,
    PhaseFound,
    PhasePrediction,
    PredictedCost,
    QuotaUse,
    RefusedBy,
)
from reports.prediction_comparison import agreement, both_layers
from reports.prediction_tables import production_words, throttled_words
from reports.preflight_document import Check, PathLimit, PreflightDocument
from reports.preflight_exports import export_preflight
from tests.loadgen.shop import profile_of

FUNCTION = StepFunction(0, "f", 1024, "x86_64", 30.0)
COUNTS = Counts(planned=[1_000_000], let_through=[800_000], ran=[600_000])


# -- costs ----------------------------------------------------------------------------------------


def cost_of(billing: Billing, region: str | None, known: StepDuration | None) -> PredictedCost:
    plan = tariff(billing, region, [FUNCTION], gateway_prices(), bundled_prices())
    return predicted_cost(plan, COUNTS, (known,), "x" * 100)


def test_each_part_of_the_cost_is_a_range() -> None:
    cost = cost_of("rest", "us-east-1", StepDuration(100.0, 80.0, 400.0, "given"))
    parts = {part.name: part for part in cost.parts}

    gateway, functions, logs = parts["API Gateway"], parts["Lambda"], parts["logs"]
    assert [gateway.least_usd, gateway.most_usd] == pytest.approx([2.8, 3.5])
    # 1 GB x 0.1 s x $0.0000166667 + $0.0000002 a call, and 0.4 s for all of them.
    assert functions.least_usd == pytest.approx(600_000 * (0.1 * 0.0000166667 + 2e-7), rel=1e-3)
    assert functions.most_usd == pytest.approx(1_000_000 * (0.4 * 0.0000166667 + 2e-7), rel=1e-3)
    assert logs.least_usd == pytest.approx((600_000 * 290 + 70e6) / 1e9 * 0.5)
    assert parts["data transfer"].most_usd is None
    assert cost.most_usd == pytest.approx(
        (gateway.most_usd or 0) + (functions.most_usd or 0) + (logs.most_usd or 0)
    )
    assert cost.not_in_it == [
        "data transfer: not known: how large answers are",
        "logs: what functions print themselves",
    ]


def test_no_function_is_paid_for_longer_than_it_may_run() -> None:
    cost = cost_of("rest", "us-east-1", StepDuration(60_000.0, None, None, "given"))

    by_call = 30.0 * 0.0000166667 + 2e-7
    assert cost.parts[1].least_usd == pytest.approx(600_000 * by_call, rel=1e-3)


def test_large_bodies_count_as_several_requests_of_an_http_api() -> None:
    prices = gateway_prices(), bundled_prices()
    plan = tariff("http", "us-east-1", [FUNCTION], *prices, {0: 1024 * 1024 + 1})

    (gateway, *_) = predicted_cost(plan, COUNTS, (None,), None).parts

    assert [gateway.least_usd, gateway.most_usd] == pytest.approx([3 * 0.8, 3 * 1.0])
    assert gateway.detail.endswith("bodies above 512 KB count as several")


def test_without_durations_the_range_says_what_it_assumes() -> None:
    cost = cost_of("rest", "us-east-1", None)

    assert cost.parts[1].detail.startswith("10 ms to 1 s a call")


def test_what_has_no_price_is_unknown_and_in_no_sum() -> None:
    cost = cost_of("rest", "eu-central-1", StepDuration(100.0, None, None, "given"))

    assert {part.name: part.least_usd is None for part in cost.parts} == {
        "API Gateway": False,
        "Lambda": False,
        "logs": True,
        "data transfer": True,
    }
    assert any(words.startswith("logs: no price") for words in cost.not_in_it)


def test_loopback_costs_nothing() -> None:
    assert cost_of("local", None, None).most_usd == 0.0


# -- durations ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["GET /a"], "--duration GET /a: must be STEP=DURATION, as in GET /x=120ms"),
        (
            ["GET /b=1s"],
            "--duration GET /b=1s: there is no step of this name (did you mean GET /a?)",
        ),
        (
            ["GET /a=soon"],
            "--duration GET /a=soon: must end in a duration such as 120ms (got 'soon')",
        ),
        (["GET /a=1s", "GET /a=2s"], "--duration GET /a=2s: the step has one already"),
    ],
    ids=["no time", "no such step", "no duration", "twice"],
)
def test_a_wrong_duration_says_what_is_wrong(options: list[str], words: str) -> None:
    steps = step_infos(profile_of({"url": "http://127.0.0.1"}, {"get": "/a"}))

    with pytest.raises(InputError) as raised:
        given_durations(options, steps)

    assert str(raised.value) == words


# -- bodies ---------------------------------------------------------------------------------------


def test_bodies_are_as_large_as_they_are_sent(tmp_path: Path) -> None:
    (tmp_path / "picture").write_bytes(bytes(range(256)) * 3)
    profile = profile_of(
        {"url": "http://127.0.0.1"},
        {"post": "/a", "json": {"a": "${uuid}"}},
        {"post": "/b", "body": 'say "hi"'},
        {"post": "/c", "form": {"x": 1, "y": "a b"}},
        {"post": "/d", "body_file": "picture"},
        {"post": "/e", "body_file": "missing"},
        {"get": "/f"},
    )

    sizes = body_sizes(profile, tmp_path)

    assert [size and size.bytes for size in sizes] == [16, 8, 9, 768, None, None]
    # An event has text escaped as JSON, and in base64 what is no text.
    assert [size and size.event_bytes for size in sizes] == [22, 12, 11, 1024, None, None]
    assert sizes[0] is not None
    assert sizes[0].has_templates


# -- words ----------------------------------------------------------------------------------------


def phase(
    share: float | None, binds: str | None, found: PhaseFound | None = None, **more: object
) -> PhasePrediction:
    values = {
        "name": "hold",
        "from_s": 0.0,
        "to_s": 10.0,
        "measured": True,
        "planned": "10 requests/s",
        "requests": 100,
        "rate_rps": 10.0,
        "throttled_share": share,
        "binds": binds,
        "found": found,
    }
    return PhasePrediction.model_validate(values | more)


def found(share: float, cause: str, predicted: float | None) -> PhaseFound:
    off_by = None if predicted is None else share - predicted
    return PhaseFound(throttled_share=share, cause=cause, off_by=off_by)


NOT_COMPARED = PhaseFound(throttled_share=0.8, cause="stage", not_compared="clients send again")


@pytest.mark.parametrize(
    ("one", "words"),
    [
        pytest.param(phase(0.4, "stage", found(0.42, "stage", 0.4)), "agrees", id="close"),
        pytest.param(phase(0.4, "stage", found(0.42, "throttle", 0.4)), "agrees", id="unnamed"),
        pytest.param(phase(0.4, "stage", found(0.4, "method", 0.4)), "another layer", id="layer"),
        pytest.param(phase(0.4, "stage", found(0.5, "stage", 0.4)), "10.0 points more", id="far"),
        pytest.param(phase(0.0, "none", found(0.0, "none", 0.0)), "agrees", id="nothing"),
        pytest.param(
            phase(0.4, "stage", found(0.5, "stage", 0.4), unknown=["quota"]),
            "partly predicted",
            id="not all is known",
        ),
        pytest.param(phase(None, None, found(0.5, "stage", None)), "not predicted", id="unknown"),
        pytest.param(
            phase(0.4, "stage", found(0.2, "stage", 0.4), unknown=["quota"]),
            "20.0 points less",
            id="less than what is known",
        ),
        pytest.param(
            phase(0.4, "stage", NOT_COMPARED, unknown=["what clients send again"]),
            "not compared",
            id="another load",
        ),
    ],
)
def test_prediction_and_measurement_agree_or_do_not(one: PhasePrediction, words: str) -> None:
    assert agreement(one) == words


def test_a_share_is_a_lower_bound_where_layers_are_unknown() -> None:
    assert throttled_words(phase(0.4, "stage", unknown=["quota"])).endswith("or more")
    assert throttled_words(phase(None, None, unknown=["quota"])) == "unknown"
    assert both_layers(phase(0.4, "stage", found(0.4, "method", 0.4))) == (
        "stage throttle; found: method throttle"
    )


QUOTA = QuotaUse(
    name="plan basic, key me",
    limit=1000,
    period="month",
    used_before=100,
    left_before=900,
    read_utc="2026-11-26T12:00:00+00:00",
    requests=50,
    uses=40,
    left_after=860,
    period_ends_on="2026-11-30",
)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "unknown"),
        ({"per_day": 10.0, "needed_per_period": 300.0}, "10 a day: lasts until 2026-11-30"),
        (
            {"per_day": 40.0, "needed_per_period": 1200.0},
            "40 a day: lasts until 2026-11-30, but not for a whole month",
        ),
        (
            {"per_day": 400.0, "runs_out_utc": "2026-11-28T15:36+00:00"},
            "400 a day: used up by 2026-11-28 15:36 UTC, the period ends on 2026-11-30",
        ),
    ],
    ids=["no pace", "lasts", "lasts this time", "runs out"],
)
def test_production_uses_a_quota_up_or_does_not(more: dict[str, object], words: str) -> None:
    assert production_words(QUOTA.model_copy(update=more)) == words


def document() -> PreflightDocument:
    refused = RefusedBy(layer="stage", name="stage production", reason="rate", share=0.4)
    use = FunctionConcurrency(
        function="a-function-with-a-long-name",
        mean=None,
        p99=None,
        most=None,
        limit=995,
        limit_name="account, without reserves",
        unknown="its duration is not known",
    )
    return PreflightDocument(
        name="orders",
        verdict="pass",
        exit_code=0,
        errors=[],
        target=TargetFacts(url="https://abc.execute-api.eu-west-1.amazonaws.com/production"),
        limits=[
            PathLimit(
                layer="stage",
                name="stage production",
                steps=["GET /a"],
                source="GetStages",
                rate_rps=80.0,
                burst=40,
            ),
            PathLimit(
                layer="provisioned",
                name="function checkout:live",
                steps=["GET /a"],
                source="GetProvisionedConcurrencyConfig",
                concurrency=2,
                words="ready",
            ),
        ],
        unknown=["unknown: usage plans (the permission apigateway:GET on /usageplans is missing)"],
        checks=[Check(name="phase hold", state="warning", found="refused: " + "x " * 60)],
        prediction=LoadPrediction(
            phases=[
                phase(0.4, "stage", refused_by=[refused], concurrency=[use], unknown=["quota"])
            ],
            quotas=[QUOTA],
        ),
        read_utc="2026-11-26T12:00:00+00:00",
        seed=1,
        command=["loadgen", "preflight", "orders.yaml"],
        profile_file="orders.yaml",
        profile_sha256="0" * 64,
        tool_version="0.1.0",
    )


def test_tables_keep_to_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    show_preflight(Console(), document())

    text = capsys.readouterr().out
    assert "\nlimits on " in text  # as all tables of a run have it
    assert "GetProvisionedConcurrencyConfig" in text  # no word is broken where there is room
    tables = [line for line in text.splitlines() if line.rstrip() != line or "─" in line]
    assert max(map(len, tables)) <= 80
    rules = [number for number, line in enumerate(text.splitlines()) if line.startswith("───")]
    assert len(rules) == 5
    assert max(len(text.splitlines()[number]) for number in rules) <= 80
    assert "40 % or more" in text.replace("\N{NO-BREAK SPACE}", " ")
    assert text.splitlines()[-1] == "the run can be made: 1 warning"


@pytest.mark.parametrize("kind", ["html", "md", "json"])
def test_a_preflight_can_be_exported(tmp_path: Path, kind: str) -> None:
    path = export_preflight(document(), f"{kind}={tmp_path / 'out'}")

    text = path.read_text(encoding="utf-8")
    assert "stage production" in text
    assert "a-function-with-a-long-name" in text
