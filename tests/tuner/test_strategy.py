"""Which sampler a plan gets, and where further cold samples are taken."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.aws.prices import bundled_prices
from tests.tuner.run_rig import tune_options
from tests.tuner.test_view import PRICE, TARGET
from tuner.adaptive import Adaptive
from tuner.facts import RunFacts
from tuner.options import check_options
from tuner.sampler import FixedRounds, Sampler
from tuner.slo_search import SloSampler
from tuner.strategy import make_plan, sampler_of, sizes_for_cold


def facts_of(**given: Any) -> RunFacts:
    request = check_options(tune_options("orders", **given))
    return RunFacts(
        run_id="0123456789ab",
        target=TARGET,
        plan=make_plan(request, TARGET),
        payloads=request.payloads,
        calls=request.calls,
        price=PRICE,
        price_table=bundled_prices(),
        region="us-east-1",
        account=None,
        endpoint=None,
        command=["tune", "orders"],
        started=datetime(2026, 1, 1, tzinfo=UTC),
        goal=request.goal,
        limits=request.limits,
    )


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        pytest.param({}, Adaptive, id="nothing said"),
        pytest.param({"objective": "speed"}, Adaptive, id="speed"),
        pytest.param({"thorough": True}, Adaptive, id="thorough"),
        pytest.param({"slo": "p95 < 1s"}, SloSampler, id="a limit"),
        pytest.param({"samples": 5}, FixedRounds, id="fixed"),
        pytest.param({"samples": 99, "slo": "p95 < 1s"}, FixedRounds, id="fixed, with a limit"),
    ],
)
def test_a_plan_gets_its_sampler(given: dict[str, Any], kind: type[Sampler]) -> None:
    assert type(sampler_of(facts_of(**given))) is kind


@pytest.mark.parametrize(
    ("given", "left"),
    [
        pytest.param({}, 14, id="the trial is one of them"),
        pytest.param({"skip_trial": True}, 15, id="without a trial"),
    ],
)
def test_a_limit_on_invocations_is_known_to_the_adaptive_sampler(
    given: dict[str, Any], left: int
) -> None:
    sampler = sampler_of(facts_of(max_invocations=15, **given))

    assert isinstance(sampler, Adaptive)
    assert sampler.effort.most_calls == left


@pytest.mark.parametrize(
    ("given", "fewer"),
    [
        pytest.param({"max_invocations": 15}, True, id="less than the plan's own"),
        pytest.param({"max_invocations": 56}, False, id="the plan's own"),
        pytest.param({}, False, id="no limit"),
        pytest.param({"max_invocations": 15, "samples": 5}, False, id="fixed"),
    ],
)
def test_only_a_limit_below_the_plans_own_can_have_ended_it(
    given: dict[str, Any], *, fewer: bool
) -> None:
    assert facts_of(**given).has_fewer_invocations == fewer


@pytest.mark.parametrize(
    ("tied", "current", "sizes"),
    [
        pytest.param([512], 512, (512,), id="one size"),
        pytest.param([512, 1024], 128, (128, 512, 1024), id="tied and today's"),
        pytest.param([512], 4096, (512,), id="today's was not measured"),
        pytest.param(
            [256, 384, 512, 640, 768, 1024], 128, (128, 384, 512, 640), id="the nearest of many"
        ),
    ],
)
def test_cold_samples_are_taken_at_few_sizes(
    tied: list[int], current: int, sizes: tuple[int, ...]
) -> None:
    measured = [128, 256, 384, 512, 640, 768, 1024]

    assert sizes_for_cold(512, tied, current, measured) == sizes
