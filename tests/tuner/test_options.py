"""Options that cannot work are refused before AWS is asked for anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from tests.tuner.run_rig import tune_options
from tuner.budget import Limits
from tuner.objective import Goal, SloLimit
from tuner.options import MAX_SEED, check_options

PLAIN = tune_options("orders", seed=None)


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1])
def test_a_seed_that_no_generator_takes_is_refused(seed: int) -> None:
    with pytest.raises(InputError, match=rf"--seed: expected 0 to \d+ \(got {seed}\)"):
        check_options(replace(PLAIN, seed=seed))


@pytest.mark.parametrize("seed", [0, MAX_SEED])
def test_a_seed_is_taken_as_it_is(seed: int) -> None:
    assert check_options(replace(PLAIN, seed=seed)).seed == seed


def test_a_run_without_a_seed_draws_one() -> None:
    assert check_options(PLAIN).seed != check_options(PLAIN).seed


@pytest.mark.parametrize(
    ("changed", "plan"),
    [
        pytest.param({}, "adaptive", id="nothing said"),
        pytest.param({"thorough": True}, "thorough", id="--thorough"),
        pytest.param({"samples": 20}, "fixed", id="--samples"),
        pytest.param({"sizes": "128,512"}, "fixed", id="--sizes"),
        pytest.param({"min_memory_mb": 256, "max_memory_mb": 512}, "adaptive", id="limits"),
    ],
)
def test_the_options_say_which_plan_is_meant(changed: dict[str, Any], plan: str) -> None:
    assert check_options(replace(PLAIN, **changed)).plan == plan


def test_a_fixed_plan_by_its_sizes_has_ten_samples() -> None:
    assert check_options(replace(PLAIN, sizes="128,512")).samples == 10


@pytest.mark.parametrize(
    ("changed", "goal"),
    [
        pytest.param({}, Goal("cost"), id="nothing said"),
        pytest.param({"objective": "speed"}, Goal("speed"), id="--objective"),
        pytest.param({"slo": "p95 < 300ms"}, Goal("slo", slo=SloLimit(95, 300)), id="--slo"),
        pytest.param({"knee": "20%"}, Goal("knee", knee_share=0.2), id="--knee"),
        pytest.param({"objective": "knee"}, Goal("knee", knee_share=0.1), id="knee by name"),
    ],
)
def test_a_limit_or_a_share_sets_the_objective(changed: dict[str, Any], goal: Goal) -> None:
    assert check_options(replace(PLAIN, **changed)).goal == goal


def test_limits_and_usage_are_taken_as_they_are() -> None:
    request = check_options(
        replace(
            PLAIN,
            max_invocations=9,
            max_usd=0.5,
            max_seconds=60,
            cold_share="2%",
            cold_samples=3,
            requests_per_month="3.2M",
        )
    )

    assert request.limits == Limits(9, 0.5, 60)
    assert (request.usage.cold_share, request.usage.requests) == (0.02, 3.2e6)
    assert request.cold_samples == 3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"arch": "arm64"}, "--arch: expected both.*'arm64'", id="one architecture"),
        pytest.param({"arch": "both"}, "--arch both: expected.*--arch-function", id="no function"),
        pytest.param({"arch_function": "f"}, "--arch-function: only used with", id="no --arch"),
        pytest.param(
            {"arch": "both", "arch_function": "f:no such name"},
            "--arch-function: expected a version or alias after the name",
            id="no alias for the other architecture",
        ),
        pytest.param(
            {"thorough": True, "samples": 5},
            "--thorough: .* with --samples",
            id="and samples",
        ),
        pytest.param(
            {"thorough": True, "sizes": "128"}, "--thorough: .* with --sizes", id="and sizes"
        ),
        pytest.param({"samples": 0}, r"--samples: expected 1 to 1000 \(got 0\)", id="samples"),
        pytest.param({"max_invocations": 0}, "--max-invocations: expected 1 to", id="invocations"),
        pytest.param({"max_usd": 0.0}, r"--max-usd: .* above 0 \(got 0.0\)", id="no money"),
        pytest.param({"max_usd": float("nan")}, "--max-usd: .* above 0", id="no number"),
        pytest.param({"max_seconds": -1.0}, "--max-seconds: .* above 0", id="seconds"),
        pytest.param({"max_seconds": float("inf")}, "--max-seconds: .* above 0", id="forever"),
        pytest.param({"cold_samples": 51}, r"--cold-samples: expected 1 to 50", id="cold samples"),
        pytest.param({"cold_share": "3"}, "--cold-share: expected auto, a share", id="cold share"),
        pytest.param(
            {"requests_per_month": "many"}, "--requests-per-month: expected auto", id="requests"
        ),
        pytest.param(
            {"server_price_file": Path("servers.json")},
            "--server-price-file: .*--requests-per-month is not given",
            id="machines, no month",
        ),
        pytest.param(
            {"server_price_file": Path("gone.json"), "requests_per_month": "1M"},
            "gone.json: could not read it",
            id="no machines",
        ),
        pytest.param({"slo": "fast"}, "--slo: expected a percentile", id="slo"),
        pytest.param({"knee": "0"}, "--knee: expected a share", id="knee"),
        pytest.param(
            {"slo": "p95 < 1s", "objective": "speed"}, "--objective: expected slo", id="slo, speed"
        ),
        pytest.param({"objective": "slo"}, "--objective slo: expected a limit", id="slo, no limit"),
        pytest.param(
            {"sandbox": True, "cold_share": "auto"},
            "--cold-share: .* no traffic",
            id="no traffic",
        ),
        pytest.param(
            {"sandbox": True, "requests_per_month": "auto"},
            "--requests-per-month: .* no traffic",
            id="sandbox, requests",
        ),
    ],
)
def test_options_that_cannot_work_are_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_options(replace(PLAIN, **changed))
