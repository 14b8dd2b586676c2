"""What a preflight cannot read is in the profile, and is told where that does not fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loadgen.profile_texts import faults, read, told

PROFILE = """\
version: 1
name: shop
target: {url: "http://127.0.0.1:9000"}
load: {phases: [{name: hold, duration: 5s, rate: 10}]}
scenarios: [{name: browse, flow: [{get: /items}]}]
"""
NO_STEP = ": there is no step of this name (got 'GET /item'; did you mean GET /items?)"
CASES = {
    "neither rate nor concurrency": (
        "downstream: [^{name: table}]",
        "downstream[0]: needs rate or concurrency",
    ),
    "a rate of nothing": (
        "downstream: [{name: table, rate: ^0}]",
        "downstream[0].rate: must be greater than 0 (got 0)",
    ),
    "a rate by the minute": (
        "downstream: [{name: table, rate: ^5/m}]",
        "downstream[0].rate: must be a number (got '5/m')",
    ),
    "a burst without a rate": (
        "downstream: [{name: table, concurrency: 3, burst: ^9}]",
        "downstream[0].burst: goes with rate",
    ),
    "a burst that no request fits into": (
        "downstream: [{name: table, rate: 5, per_request: 3, burst: ^2}]",
        "downstream[0].burst: must be at least per_request, 3 (got 2)",
    ),
    "places that no request fits into": (
        "downstream: [{name: database, per_request: 2, concurrency: ^1}]",
        "downstream[0].concurrency: must be at least per_request, 2 (got 1)",
    ),
    "a step that there is not": (
        "downstream: [{name: table, rate: 5, steps: [^GET /item]}]",
        f"downstream[0].steps[0]{NO_STEP}",
    ),
    "no step at all": (
        "downstream: [{name: table, rate: 5, steps: ^[]}]",
        "downstream[0].steps: must have at least 1 (got an empty list)",
    ),
    "a name twice": (
        "downstream: [{name: table, rate: 5}, {name: ^table, rate: 6}]",
        "downstream[1].name: another one has the same name (got 'table')",
    ),
    "a duration of no step": (
        "durations: {GET /item: ^1s}",
        f"durations.GET /item{NO_STEP}",
    ),
    "a duration that is a word": (
        "durations: {GET /items: ^soon}",
        "durations.GET /items: must be a duration such as 500ms, 30s or 5m (got 'soon')",
    ),
    "fewer requests than none": (
        "production: {requests_per_day: ^-1}",
        "production.requests_per_day: must be at least 0 (got -1)",
    ),
    "more than the whole quota": (
        "guards: {max_quota_share: ^120%}",
        "guards.max_quota_share: must be a share such as 1% or 0.01 (got '120%')",
    ),
}


@pytest.mark.parametrize(
    ("marked", "said"), [pytest.param(*case, id=name) for name, case in CASES.items()]
)
def test_what_does_not_fit_is_told_where_it_stands(tmp_path: Path, marked: str, said: str) -> None:
    text = f"{PROFILE}{marked}\n"

    assert faults(tmp_path, text.replace("^", "")) == [told(text, said)]


def test_rates_may_have_their_unit(tmp_path: Path) -> None:
    text = f"{PROFILE}downstream: [{{name: table, rate: 500/s, per_request: 2}}]\n"

    (table,) = read(tmp_path, text).profile.downstream

    assert (table.rate, table.burst, table.steps) == (500.0, None, None)
