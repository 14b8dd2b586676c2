"""Profiles say how clients retry, and are told where that does not fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadgen.profile.model import RetryModel
from tests.loadgen.profile_texts import faults, read, told

PROFILE = """\
version: 1
name: storm
target: {url: "http://127.0.0.1:9000"}
load: {phases: [{name: hold, duration: 5s, rate: 10}]}
scenarios: [{name: browse, flow: [{get: /items}]}]
"""
CASES = {
    "a mode that there is not": (
        "retry: ^adaptiv",
        "retry: must be 'none', 'standard' or 'adaptive' (got 'adaptiv')",
    ),
    "a key that there is not": (
        "retry: {^max_attempt: 3}",
        "retry.max_attempt: unknown key (did you mean max_attempts?)",
    ),
    "no attempt at all": (
        "retry: {max_attempts: ^0}",
        "retry.max_attempts: must be at least 1 (got 0)",
    ),
    "a quota that is a word": (
        "retry: {quota: ^unlimited}",
        "retry.quota: must be a whole number of tokens, or none (got 'unlimited')",
    ),
    "settings of clients that do not retry": (
        "retry: {mode: none, base: ^1s}",
        "retry.base: does not go with mode: none, which never sends again",
    ),
    "a base beyond the cap": (
        "retry: {base: ^2s, cap: 1s}",
        "retry.base: must be at most cap, 1 s (got '2s')",
    ),
    "a status that is both": (
        "retry: {statuses: ^[429, 503]}",
        "retry.statuses: 429 is in statuses and in throttle_statuses: it can be one of them",
    ),
    "a success": (
        "retry: {statuses: ^[200, 503]}",
        "retry.statuses: 200 is a success, which no client sends again",
    ),
    "a cost without a quota": (
        "retry: {quota: none, retry_cost: ^5}",
        "retry.retry_cost: has no meaning with quota: none",
    ),
}


@pytest.mark.parametrize(
    ("marked", "said"), [pytest.param(*case, id=name) for name, case in CASES.items()]
)
def test_what_does_not_fit_is_told_where_it_stands(tmp_path: Path, marked: str, said: str) -> None:
    text = f"{PROFILE}{marked}\n"

    assert faults(tmp_path, text.replace("^", "")) == [told(text, said)]


def test_a_scenario_is_told_too(tmp_path: Path) -> None:
    text = PROFILE.replace("name: browse,", "name: browse, retry: {cap: 1s, base: ^2s},")

    assert faults(tmp_path, text.replace("^", "")) == [
        told(text, "scenarios[0].retry.base: must be at most cap, 1 s (got '2s')")
    ]


def test_users_of_a_locustfile_are_no_modelled_clients(tmp_path: Path) -> None:
    text = PROFILE.replace("scenarios: [{name: browse, flow: [{get: /items}]}]", "")
    text = text.replace("rate: 10", "users: 10").replace("load: {", "load: {model: closed, ")

    assert faults(tmp_path, f"{text}locustfile: {{file: users.py}}\nretry: standard\n") == [
        "7:8: retry: needs scenarios: users of a locustfile retry as it says"
    ]


def test_a_search_counts_what_it_plans(tmp_path: Path) -> None:
    slo = "slo: [p95(ok_response) < 1s]"
    phase = f"{{name: find, search: max_rate, bounds: [10, 100], {slo}}}"
    text = PROFILE.replace("{name: hold, duration: 5s, rate: 10}", phase) + "retry: standard\n"

    assert faults(tmp_path, text) == [
        "6:8: retry: does not go with a phase that searches: it counts what it plans"
    ]


def test_a_mode_alone_and_a_mapping_are_read(tmp_path: Path) -> None:
    text = PROFILE.replace("name: browse,", "name: browse, retry: {quota: none, clients: 50},")

    profile = read(tmp_path, f"{text}retry: adaptive\n").profile

    assert profile.retry == "adaptive"
    assert isinstance(profile.scenarios[0].retry, RetryModel)
    assert profile.scenarios[0].retry.quota == "none"
