"""A forecast from a run whose mix, durations and limits are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from core.aws.prices import bundled_prices
from core.console import Console
from core.errors import InputError
from loadgen.forecast.command import ForecastOptions, forecast
from loadgen.forecast.functions import function_forecasts
from reports.forecast_facts import Duration, Facts, Function, Limit, facts_of
from reports.limit_uses import limit_uses, rate_forecasts
from reports.load_document import ConfiguredLimit, LoadDocument
from reports.load_search import SearchPart
from reports.run_folder import read_document
from tests.reports.load_documents import five_causes

STAGE = ConfiguredLimit(layer="stage", name="stage prod", rate_rps=100, burst=50, steps=[0, 1])
RESERVE = ConfiguredLimit(
    layer="lambda_concurrency", name="function work", concurrency=10, steps=[1]
)
QUOTA = ConfiguredLimit(layer="quota", name="plan basic", quota=86_400, period="day", steps=[0])


def facts(**changes: Any) -> Facts:
    """Half of 20 requests a second call a function that takes 200 ms."""
    known: dict[str, Any] = {
        "today_rps": 20.0,
        "region": "us-east-1",
        "functions": (Function("work", 512, "x86_64", 0.5, Duration(0.2, "told"), 150.0),),
        "limits": (
            Limit(STAGE, 1.0, ("work",)),
            Limit(RESERVE, 0.5, ("work",)),
            Limit(QUOTA, 0.5, ()),
        ),
        "found_rps": None,
    }
    return Facts(**(known | changes))


def test_concurrency_is_rate_times_duration() -> None:
    (work,) = function_forecasts(facts(), 100.0, spillover_share=0.01, prices=bundled_prices())

    assert work.calls_rps == 50.0
    assert work.mean_concurrency == pytest.approx(10.0)
    # Poisson with a mean of 10: 18 in 99 % of the time.
    assert work.p99_concurrency == 18
    assert work.cold is not None
    assert work.cold.init_ms == 150.0
    # Today 2 at once on average, 6 in 99 % of the time.
    assert work.cold.new_environments == 12


def test_what_to_provision_is_erlangs_and_has_its_list_price() -> None:
    (work,) = function_forecasts(facts(), 100.0, spillover_share=0.01, prices=bundled_prices())

    assert work.provision is not None
    # Tables of Erlang's loss formula: 10 Erlangs need 18 for 1 %.
    assert work.provision.environments == 18
    month_s = 30.4375 * 24 * 3600
    assert work.provision.usd_per_month == pytest.approx(18 * 0.5 * month_s * 0.0000041667)
    assert work.provision.saved_usd_per_month == pytest.approx(
        10 * 0.5 * month_s * (0.0000166667 - 0.0000097222)
    )


def test_the_first_limit_is_the_one_that_binds_at_the_lowest_rate() -> None:
    uses = limit_uses(facts(), 100.0)

    assert [use.name for use in uses] == [
        "function work",
        "stage prod",
        "function work, calls a second",
    ]
    at_once, stage, calls = uses
    assert stage.used_share == 1.0
    assert stage.binds_at_rps == 100.0
    assert calls.used_share == 0.5
    assert calls.binds_at_rps == 200.0
    # Not at 100/s, where there are 10 on average, but where there are 10 in 1 % of the time.
    assert at_once.binds_at_rps is not None
    assert 40 < at_once.binds_at_rps < 60
    assert at_once.used_share == 1.8


def test_each_multiple_of_today_has_its_first_limit_and_its_quota() -> None:
    once, twice, five, ten = rate_forecasts(facts())

    assert once.binds is None
    assert once.nearest is not None
    assert once.nearest.name == "function work"
    assert twice.binds is None
    assert five.binds is not None
    assert ten.binds is not None
    # 10 a second of 86,400 a day: 8,640 s.
    assert once.quota is not None
    assert once.quota.lasts_s == 8640.0
    assert rate_forecasts(facts(today_rps=1.0))[0].quota is None


def test_the_rate_that_a_search_found_is_a_limit_too() -> None:
    uses = limit_uses(facts(found_rps=30.0), 60.0)

    assert uses[0].name == "the SLO of the search"
    assert uses[0].used_share == 2.0


def test_a_function_of_unknown_duration_has_no_concurrency() -> None:
    unknown = facts(functions=(Function("work", 512, "x86_64", 0.5, None, None),))
    (work,) = function_forecasts(unknown, 100.0, spillover_share=0.01, prices=bundled_prices())

    assert work.mean_concurrency is None
    assert work.cold is None
    assert work.provision is None
    assert [use.name for use in limit_uses(unknown, 100.0)] == [
        "stage prod",
        "function work, calls a second",
    ]


def test_a_region_without_prices_has_none() -> None:
    (work,) = function_forecasts(
        facts(region="mars-north-1"), 100.0, spillover_share=0.01, prices=bundled_prices()
    )

    assert work.provision is not None
    assert work.provision.environments == 18
    assert work.provision.usd_per_month is None


# -- the command ----------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run whose first step calls a function."""
    document = five_causes().model_dump(mode="json")
    document["functions"] = [
        {"name": "work", "memory_mb": 512, "arch": "arm64", "timeout_s": 3.0, "steps": [0]}
    ]
    (tmp_path / "result.json").write_text(json.dumps(document))
    return tmp_path


def spread(mean: float, n: int) -> dict[str, float]:
    return {"p50": 1, "p90": 1, "p95": 1, "p99": 1, "max": 900, "mean": mean, "n": n}


def seen(qualifier: str, duration: dict[str, float] | None, mean_ms: float | None = None) -> Any:
    """What telemetry has of an alias of the function."""
    lines = {"lines": 9, "cold": 2, "init_p50_ms": 150.0, "duration_mean_ms": mean_ms}
    return {
        "function": "work",
        "qualifier": qualifier,
        "steps": ["GET /search"],
        "state": "covered" if duration else "late",
        "answered": 9,
        "duration_ms": duration,
        "reports": lines | {f"duration_p{at}_ms": 1.0 for at in (50, 95, 99)} if mean_ms else None,
    }


@pytest.mark.parametrize(
    ("functions", "duration"),
    [
        ([seen("a", spread(100, 30)), seen("b", spread(200, 10))], Duration(0.125, "metric")),
        ([seen("a", None, 130.0), seen("b", spread(200, 10))], Duration(0.13, "REPORT lines")),
        ([seen("a", None, 130.0)], Duration(0.13, "REPORT lines")),
        ([seen("a", None)], None),
    ],
    ids=["two aliases", "metrics of one of them", "REPORT lines alone", "neither"],
)
def test_durations_are_means_of_all_calls(
    run: Path, functions: list[Any], duration: Duration | None
) -> None:
    document = json.loads((run / "result.json").read_text())
    document["telemetry"] = {
        "started_unix_s": 0.0,
        "ended_unix_s": 9.0,
        "read_utc": "2026-11-27T00:00:00+00:00",
        "waited_s": 0.0,
        "coverage": {"state": "late", "answered": 9, "unanswered": 0},
        "functions": functions,
    }

    found = facts_of(LoadDocument.model_validate(document), today_rps=None, given={})

    known = found.functions[0].duration
    assert (known is None) == (duration is None)
    if known is not None and duration is not None:
        assert known.mean_s == pytest.approx(duration.mean_s)
        assert known.source.startswith(duration.source)


@pytest.mark.parametrize(("unit", "found"), [("requests", 42.0), ("scenarios", None)])
def test_a_search_that_counts_scenarios_has_no_rate_of_requests(
    run: Path, unit: Literal["requests", "scenarios"], found: float | None
) -> None:
    document = read_document(run, LoadDocument)
    search = SearchPart.model_construct(unit=unit, rate_rps=42.0)

    facts = facts_of(document.model_copy(update={"search": search}), today_rps=None, given={})

    assert facts.found_rps == found


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate_rps": 0.0}, "--rate: must be above 0"),
        ({"rate_rps": float("nan")}, "--rate: must be above 0"),
        ({"today_rps": 2e6}, "--today: must be above 0 and at most 1,000,000"),
        ({"spillover": "0%"}, "--spillover: must be a share"),
        ({"spillover": "many"}, "--spillover: must be a share"),
        ({"durations": ("work",)}, "must be FUNCTION=TIME"),
        ({"durations": ("wrk=1s",)}, "the run calls no such function (there is work)"),
        ({"durations": ("work=fast",)}, "must end in a duration such as 120ms (got 'fast')"),
        ({"durations": ("work=0s",)}, "must be longer than 0"),
    ],
)
def test_what_cannot_be_is_told(run: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as told:
        forecast(ForecastOptions(run, **changes), Console(verbosity=-1))

    assert message in str(told.value)


def test_the_document_has_what_was_asked(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(verbosity=-1, json_output=True)
    code = forecast(ForecastOptions(run, rate_rps=500.0, durations=("work=100ms",)), console)

    document = json.loads(capsys.readouterr().out)
    assert code == document["exit_code"] == 0
    assert document["kind"] == "load-forecast"
    assert document["rate_rps"] == 500.0
    (work,) = document["functions"]
    assert work["duration_source"] == "--duration"
    assert work["mean_concurrency"] == pytest.approx(work["calls_rps"] * 0.1)
    assert len(document["rates"]) == 4
