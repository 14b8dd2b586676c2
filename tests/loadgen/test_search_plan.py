"""Searches of simulated APIs in virtual time, whose highest rates are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loadgen.profile.model import Profile
from loadgen.search.curve import curve_of
from loadgen.search.finding import SearchFinding
from loadgen.search.plan import search_plan
from loadgen.search.simulated import Flat, Generator, Queue, System, TokenBucket, play
from tests.loadgen.made_runs import profile_of

FLOW = [{"name": "a", "flow": [{"get": "/"}]}]


def searching(*, load: dict[str, Any] | None = None, **phase: Any) -> Profile:
    given = {
        "name": "most",
        "search": "max_rate",
        "bounds": [20, 320],
        "slo": ["p95(ok_response) < 300ms"],
    }
    parts = load or {}
    guards = parts.pop("guards", {})
    return profile_of(load={"phases": [given | phase], **parts}, scenarios=FLOW, guards=guards)


def found(
    system: System,
    profile: Profile | None = None,
    seed: int = 1,
    generator: Generator | None = None,
    stop_after: int = 1000,
) -> SearchFinding:
    profile = profile or searching()
    plan = search_plan(profile, profile.load.phases[-1])
    return play(plan, system, seed, generator, stop_after)


def rng(seed: int = 5) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_rate_of_a_queue_is_found_within_5_percent_and_its_interval_covers(seed):
    queue = Queue(40.0, 3, rng(seed))
    truth = queue.p_limit_rps(0.05, 0.3)
    answer = found(queue, seed=seed)
    assert answer.ended == "found"
    assert answer.rate_rps == pytest.approx(truth, rel=0.05)
    assert answer.low_rps < truth < answer.high_rps
    assert answer.limited_by == "p95(ok_response) < 300ms does not hold"


@pytest.mark.parametrize("burst_s", [0.2, 3.0, 10.0], ids=["small", "usual", "large"])
def test_a_burst_does_not_flatter_a_rate_that_will_be_refused(burst_s):
    # Of arrivals at random, a small bucket refuses some below its rate.
    answer = found(
        TokenBucket(80.0, 80.0 * burst_s, rng()), searching(load={"arrivals": "uniform"})
    )
    # 1 % may be refused.
    assert answer.rate_rps == pytest.approx(80.0 / 0.99, rel=0.05)
    assert answer.low_rps < 80.0 / 0.99 < answer.high_rps
    assert answer.refill_rps == pytest.approx(80.0, rel=0.05)
    # A bucket may not have been full when it was measured.
    assert 0.4 * 80.0 * burst_s < answer.burst < 1.2 * 80.0 * burst_s
    assert answer.limited_by == "rate(throttled) < 1% does not hold"
    assert answer.assumed == ("rate(failed) < 1%", "rate(throttled) < 1%")


def test_a_queue_that_grows_breaks_long_before_its_requests_are_too_slow():
    answer = found(Queue(50.0, 4, rng()), searching(slo=["p95(response) < 5s"]))
    assert answer.high_rps is not None
    assert answer.rate_rps == pytest.approx(199.4, rel=0.05)  # of the 200 that are served
    assert "the queue grows" in (answer.limited_by or "")


def test_what_is_always_fast_has_no_limit_and_no_knee_within_what_was_tried():
    answer = found(Flat(rng()))
    assert (answer.ended, answer.rate_rps, answer.high_rps) == ("holds_everywhere", 320.0, None)
    fitted, knee = curve_of(answer)
    assert (fitted, knee.rate_rps) == (None, None)
    assert "no knee within what was tried" in knee.reason


def test_no_rate_above_a_guard_is_tried():
    answer = found(Flat(rng()), searching(load={"guards": {"max_rate": 100}}))
    assert max(one.rate_rps for one in answer.tried) == answer.rate_rps == 100.0
    assert answer.detail == "it holds up to guards.max_rate"


def test_what_breaks_at_the_lower_bound_has_no_rate():
    answer = found(Queue(4.0, 2, rng()))
    assert (answer.ended, answer.rate_rps, answer.high_rps) == ("breaks_everywhere", None, 20.0)


def test_hysteresis_is_seen_where_an_overload_leaves_a_lower_capacity_behind():
    slow_after_overload = Queue(50.0, 4, rng(2), slow_factor=3.0, slow_above=150)
    answer = found(slow_after_overload, seed=2)
    assert answer.hysteresis == "seen"
    assert "after a rest it holds" in answer.hysteresis_detail


def test_what_has_no_memory_has_no_hysteresis():
    assert found(TokenBucket(80.0, 40.0, rng())).hysteresis == "none"


@pytest.mark.parametrize("drift_per_s", [-1 / 900, 1 / 300], ids=["slower", "faster"])
def test_what_changes_while_it_is_searched_has_no_single_rate(drift_per_s):
    answer = found(Queue(50.0, 4, rng(0), drift_per_s=drift_per_s), seed=0)
    assert answer.ended == "unstable"
    assert answer.rate_rps is None
    assert curve_of(answer)[1].rate_rps is None


@pytest.mark.parametrize(
    ("generator", "reason"),
    [
        pytest.param(Generator(most_rps=150.0), "requests began late", id="too slow"),
        pytest.param(Generator(max_in_flight=3), "load.max_in_flight", id="too many in flight"),
    ],
)
def test_no_rate_is_claimed_that_the_generator_could_not_send(generator, reason):
    answer = found(Flat(rng()), generator=generator)
    assert answer.ended == "generator"
    assert reason in answer.detail
    assert answer.rate_rps is None
    assert answer.low_rps is None or answer.low_rps <= 150.0


def test_what_could_be_sent_is_told_when_the_generator_is_too_slow_for_more():
    answer = found(Flat(rng()), generator=Generator(most_rps=150.0))
    assert answer.low_rps == 80.0


def test_a_quota_that_is_used_up_ends_the_search():
    answer = found(Flat(rng(), quota=6000))
    assert (answer.ended, answer.rate_rps) == ("refused", None)


def test_an_api_that_is_not_there_ends_the_search_at_once():
    answer = found(Flat(rng(), breaks_above_rps=1.0))
    assert answer.ended == "errors"
    assert len(answer.tried) == 1


def test_a_run_that_is_stopped_gives_what_is_known():
    answer = found(Queue(50.0, 4, rng()), stop_after=4)
    assert (answer.ended, answer.detail) == ("stopped", "a guard")
    assert len(answer.tried) >= 4


def test_the_number_of_requests_stays_within_the_guard():
    profile = searching(load={"guards": {"max_requests": 5000}})
    answer = found(Queue(50.0, 4, rng()), profile)
    assert answer.ended == "requests"
    assert answer.requests <= 5000


def test_steps_rest_and_last_as_the_profile_says_and_scenarios_share_by_weight():
    profile = profile_of(
        load={
            "arrivals": "uniform",
            "phases": [
                {
                    "name": "most",
                    "search": "max_rate",
                    "bounds": [20, 40],
                    "slo": ["rate(failed) < 1%"],
                    "step": "3s",
                    "cool_down": "7s",
                }
            ],
        },
        scenarios=[
            {"name": "one", "weight": 3, "flow": [{"get": "/"}]},
            {"name": "two", "weight": 1, "flow": [{"get": "/a"}, {"get": "/b"}]},
        ],
    )
    segment = next(search_plan(profile, profile.load.phases[-1]))
    assert (segment.length_s, segment.rest_s) == (3.0, 7.0)
    # 20 requests a second, of which an arrival sends 1.25.
    assert [one.rate_rps for one in segment.streams] == pytest.approx([12.0, 4.0])
    assert {one.arrivals for one in segment.streams} == {"uniform"}
