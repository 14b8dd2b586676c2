"""Schedules: as many arrivals as the rates say, when they say, whatever the number of injectors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from loadgen.profile.model import Profile
from loadgen.schedule import (
    CHUNK,
    arrivals,
    duration_s,
    expected_requests,
    peak_requests_rps,
    plan_phases,
    requests_per_arrival,
    user_targets,
)

ONE_STEP = [{"name": "one", "flow": [{"get": "/"}]}]
# Three requests in one of four arrivals, one in the others: 1.5 on average.
TWO = [
    {"name": "short", "weight": 3.0, "flow": [{"get": "/"}, {"think": "1s"}]},
    {"name": "long", "flow": [{"get": "/"}, {"post": "/a"}, {"think": "1s"}, {"get": "/b"}]},
]


def profile(*phases, scenarios=ONE_STEP, **load):
    named = [{"name": f"p{index}", **phase} for index, phase in enumerate(phases)]
    return Profile.model_validate(
        {
            "version": 1,
            "name": "test",
            "target": {"url": "http://127.0.0.1"},
            "load": {"phases": named, **load},
            "scenarios": scenarios,
        }
    )


def all_of(chunks):
    """The columns of all chunks, one after the other."""
    chunks = list(chunks)
    if not chunks:
        return np.zeros(0, np.int64), np.zeros(0, np.uint16), np.zeros(0, np.uint16)
    return (
        np.concatenate([chunk.at_us for chunk in chunks]),
        np.concatenate([chunk.phase for chunk in chunks]),
        np.concatenate([chunk.scenario for chunk in chunks]),
    )


def stream(of, seed=1, injector=0, injectors=1):
    return all_of(arrivals(of, plan_phases(of), seed, injector, injectors))


RATES = st.floats(0, 400).map(lambda rate: round(rate, 2))
LENGTHS = st.floats(0.05, 6).map(lambda length: round(length, 3))
PHASES = st.one_of(
    st.fixed_dictionaries({"rate": RATES, "duration": LENGTHS}),
    st.fixed_dictionaries({"rate": st.tuples(RATES, RATES).map(list), "duration": LENGTHS}),
    st.fixed_dictionaries(
        {
            "rate": st.fixed_dictionaries({"from": RATES, "to": RATES, "count": st.integers(2, 6)}),
            "duration": LENGTHS,
        }
    ),
    st.fixed_dictionaries({"burst": st.integers(1, 300)}, optional={"within": LENGTHS}),
    st.fixed_dictionaries({"pause": LENGTHS}),
)
ARRIVALS = st.one_of(
    st.sampled_from(["poisson", "uniform"]),
    st.integers(1, 20).map(lambda size: {"size": size}),
)
PROFILES = st.builds(
    lambda phases, kind, unit, scenarios: profile(
        *phases, arrivals=kind, unit=unit, scenarios=scenarios
    ),
    st.lists(PHASES, min_size=1, max_size=4),
    ARRIVALS,
    st.sampled_from(["requests", "scenarios"]),
    st.sampled_from([ONE_STEP, TWO]),
)
SEEDS = st.integers(0, 2**53 - 1)


# -- what holds of every schedule -----------------------------------------------------------------


@given(PROFILES, SEEDS)
def test_times_never_go_back_and_lie_in_their_phase(of, seed):
    plans = plan_phases(of)
    at_us, phase, _ = stream(of, seed)
    assert (np.diff(at_us) >= 0).all()
    for plan in plans:
        times = at_us[phase == plan.index]
        assert (times >= round(plan.from_s * 1e6)).all()
        assert (times < max(plan.to_s * 1e6, round(plan.from_s * 1e6) + 1)).all()


@given(PROFILES, SEEDS)
def test_as_many_arrive_as_the_integral_of_the_rate_says(of, seed):
    kind = of.load.arrivals
    size = getattr(kind, "size", 1)
    _, phase, _ = stream(of, seed)
    for plan in plan_phases(of):
        n = int((phase == plan.index).sum())
        if plan.kind == "burst":
            assert n == plan.expected
        elif kind == "uniform":
            assert abs(n - plan.expected) <= 1 + 1e-6
        else:
            # Eight standard deviations of a (compound) Poisson count, and some for small ones.
            assert abs(n - plan.expected) <= 8 * math.sqrt(plan.expected * size) + 12 * size


@given(PROFILES, SEEDS, st.integers(1, 7))
@settings(max_examples=50)
def test_the_injectors_together_send_the_whole_schedule_and_nothing_twice(of, seed, injectors):
    whole = np.array(stream(of, seed))
    for injector in range(injectors):
        share = np.array(stream(of, seed, injector, injectors))
        assert (share == whole[:, injector::injectors]).all()


@given(PROFILES, SEEDS)
@settings(max_examples=30)
def test_the_same_seed_gives_the_same_stream(of, seed):
    assert all((a == b).all() for a, b in zip(stream(of, seed), stream(of, seed), strict=True))


@given(PROFILES, SEEDS)
@settings(max_examples=30)
def test_chunks_are_bounded(of, seed):
    chunks = list(arrivals(of, plan_phases(of), seed, 0, 1))
    assert all(0 < len(chunk.at_us) <= CHUNK for chunk in chunks)


def test_another_seed_gives_another_stream():
    of = profile({"rate": 100.0, "duration": "2s"})
    assert stream(of, 1)[0].tolist() != stream(of, 2)[0].tolist()


# -- Poisson --------------------------------------------------------------------------------------


def test_gaps_of_poisson_arrivals_are_exponential():
    gaps = np.diff(stream(profile({"rate": 1000.0, "duration": "60s"}))[0]) / 1e6
    assert gaps.mean() == pytest.approx(1e-3, rel=0.03)
    assert gaps.std() == pytest.approx(1e-3, rel=0.03)
    for t in (0.5e-3, 1e-3, 3e-3):
        assert (gaps > t).mean() == pytest.approx(math.exp(-t / 1e-3), abs=0.01)


@pytest.mark.parametrize(("first", "last"), [(0.0, 1000.0), (1000.0, 0.0), (200.0, 800.0)])
def test_a_ramp_is_exact_all_along(first, last):
    """The integral of the rate at the arrival times grows like a Poisson process of rate 1."""
    of = profile({"rate": [first, last], "duration": "60s"})
    at_s = stream(of)[0] / 1e6
    integral = first * at_s + (last - first) * at_s**2 / 120
    uniform = integral / (first + last) * 2 / 60
    steps = np.arange(1, len(uniform) + 1) / len(uniform)
    # Kolmogorov-Smirnov at a level of one in ten thousand.
    assert np.abs(uniform - steps).max() < 2.23 / math.sqrt(len(uniform))


def test_counts_of_seconds_are_as_spread_as_poisson_says():
    at_us, _, _ = stream(profile({"rate": 100.0, "duration": "600s"}))
    counts = np.bincount(at_us // 1_000_000, minlength=600)
    assert counts.var() / counts.mean() == pytest.approx(1, abs=0.25)


# -- uniform --------------------------------------------------------------------------------------


def test_uniform_arrivals_are_evenly_spaced():
    at_us, _, _ = stream(profile({"rate": 200.0, "duration": "5s"}, arrivals="uniform"))
    assert at_us.tolist() == [2_500 + 5_000 * k for k in range(1000)]


@pytest.mark.parametrize("rate", [3.0, 7.0, 10.0, 49.0, 333.0])
def test_a_whole_number_of_uniform_arrivals_is_exact(rate):
    of = profile({"rate": rate, "duration": "0.1s"}, {"rate": rate, "duration": "99.9s"})
    of = of.model_copy(update={"load": of.load.model_copy(update={"arrivals": "uniform"})})
    assert len(stream(of)[0]) == rate * 100


def test_fractions_of_an_arrival_are_carried_over_the_border_of_a_phase():
    halves = [{"rate": 0.5, "duration": "1s"} for _ in range(20)]
    assert len(stream(profile(*halves, arrivals="uniform"))[0]) == 10


def test_a_uniform_ramp_reaches_each_whole_number_when_its_integral_does():
    at_us, _, _ = stream(profile({"rate": [0.0, 100.0], "duration": "10s"}, arrivals="uniform"))
    expected = [math.sqrt((k + 0.5) * 2 * 10 / 100) for k in range(500)]
    assert at_us / 1e6 == pytest.approx(expected, abs=2e-6)


# -- bursts ---------------------------------------------------------------------------------------


def test_bursts_come_in_groups_at_once():
    at_us, _, _ = stream(profile({"rate": 100.0, "duration": "60s"}, arrivals={"size": 10}))
    times, counts = np.unique(at_us, return_counts=True)
    assert (counts % 10 == 0).all()
    assert len(times) == pytest.approx(600, abs=8 * math.sqrt(600))


def test_a_burst_comes_at_once_or_evenly_within_its_time():
    of = profile({"pause": "1s"}, {"burst": 3}, {"burst": 4, "within": "2s"})
    assert stream(of)[0].tolist() == [1_000_000] * 3 + [
        1_000_000, 1_500_000, 2_000_000, 2_500_000,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("phase", "length_s"),
    [
        ({"burst": 5}, 0),
        ({"burst": 5, "within": "2s"}, 2),
        ({"burst": 5, "within": "2s", "duration": "5s"}, 5),
        ({"burst": 5, "duration": "5s"}, 5),
        ({"pause": "3s"}, 3),
        ({"rate": 1.0, "duration": "4s"}, 4),
    ],
)
def test_how_long_a_phase_lasts(phase, length_s):
    assert duration_s(plan_phases(profile(phase))) == length_s


def test_a_large_burst_comes_in_bounded_chunks():
    of = profile({"burst": 3 * CHUNK + 1}, {"rate": 1000.0, "duration": "1s"})
    chunks = list(arrivals(of, plan_phases(of), 1, 0, 1))
    assert max(len(chunk.at_us) for chunk in chunks) == CHUNK
    sizes = {"size": 2 * CHUNK + 5}
    of = profile({"rate": 1e6, "duration": "1s"}, arrivals=sizes)
    chunks = list(arrivals(of, plan_phases(of), 1, 0, 1))
    assert max(len(chunk.at_us) for chunk in chunks) == CHUNK
    assert sum(len(chunk.at_us) for chunk in chunks) % sizes["size"] == 0


# -- scenarios ------------------------------------------------------------------------------------


def test_scenarios_are_chosen_by_weight():
    _, _, scenario = stream(profile({"rate": 1500.0, "duration": "40s"}, scenarios=TWO))
    assert len(scenario) == pytest.approx(40_000, rel=0.03)
    assert (scenario == 1).mean() == pytest.approx(0.25, abs=0.01)


def test_a_phase_may_have_some_of_the_scenarios():
    of = profile(
        {"rate": 300.0, "duration": "1s", "scenarios": ["long"]},
        {"rate": 300.0, "duration": "1s", "scenarios": ["short"]},
        scenarios=TWO,
    )
    _, phase, scenario = stream(of)
    assert set(scenario[phase == 0].tolist()) == {1}
    assert set(scenario[phase == 1].tolist()) == {0}
    assert [requests_per_arrival(of, one) for one in of.load.phases] == [3, 1]
    assert [plan.expected for plan in plan_phases(of)] == [pytest.approx(100), 300]


def test_the_rate_counts_requests_or_scenarios():
    by_requests = profile({"rate": 90.0, "duration": "10s"}, scenarios=TWO)
    by_scenarios = profile({"rate": 90.0, "duration": "10s"}, scenarios=TWO, unit="scenarios")
    for of, requests in ((by_requests, 900), (by_scenarios, 1350)):
        plans = plan_phases(of)
        assert expected_requests(of, plans) == pytest.approx(requests)
        assert peak_requests_rps(of, plans) == pytest.approx(requests / 10)
    assert plan_phases(by_requests)[0].expected == pytest.approx(600)


def test_scenarios_that_send_nothing_have_no_rate():
    idle = [{"name": "idle", "flow": [{"think": "1s"}]}]
    with pytest.raises(InputError, match="p0: no step of its scenarios sends a request"):
        plan_phases(profile({"rate": 5.0, "duration": "1s"}, scenarios=idle))


# -- the plan -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "kind", "words", "expected", "peak_rps"),
    [
        ({"rate": 50.0, "duration": "10s"}, "rate", "50 requests/s", 500, 50),
        ({"rate": 1.0, "duration": "10s"}, "rate", "1 request/s", 10, 1),
        ({"rate": 0.5, "duration": "10s"}, "rate", "0.5 requests/s", 5, 0.5),
        ({"rate": [50.0, 300.5], "duration": "2s"}, "rate", "50 to 300.5 requests/s", 350.5, 300.5),
        (
            {"rate": {"from": 100.0, "to": 2000.0, "count": 3}, "duration": "3s"},
            "rate", "100 to 2,000 requests/s in 3 steps", 3150, 2000,
        ),
        ({"burst": 1500}, "burst", "1,500 arrivals at once", 1500, 1500),
        ({"burst": 1}, "burst", "1 arrival at once", 1, 1),
        ({"burst": 500, "within": "10s"}, "burst", "500 arrivals within 10 s", 500, 50),
        ({"pause": "5s"}, "pause", "pause", 0, 0),
    ],
)  # fmt: skip
def test_what_a_phase_is_planned_to_do(phase, kind, words, expected, peak_rps):
    (plan,) = plan_phases(profile(phase))
    assert (plan.kind, plan.words, plan.expected, plan.peak_rps) == (
        kind, words, pytest.approx(expected), pytest.approx(peak_rps),
    )  # fmt: skip


def test_phases_follow_each_other_and_pauses_and_warm_ups_do_not_count():
    plans = plan_phases(
        profile(
            {"rate": 1.0, "duration": "2s", "measure": False},
            {"rate": 1.0, "duration": "1.5s"},
            {"pause": "1s"},
            {"burst": 9},
        )
    )
    assert [plan.from_s for plan in plans] == [0, 2, 3.5, 4.5]
    assert [plan.to_s for plan in plans] == [2, 3.5, 4.5, 4.5]
    assert [plan.measured for plan in plans] == [False, True, False, True]
    assert [plan.index for plan in plans] == [0, 1, 2, 3]


# -- users ----------------------------------------------------------------------------------------


def closed(*phases):
    return profile(*phases, model="closed")


def targets(of, injector=0, injectors=1):
    return [
        (target.at_us, target.phase, target.users)
        for target in user_targets(of, plan_phases(of), injector, injectors)
    ]


def test_users_are_held_and_gone_in_a_pause():
    of = closed({"users": 5, "duration": "2s"}, {"pause": "1s"}, {"users": 1, "duration": "1s"})
    assert targets(of) == [(0, 0, 5), (2_000_000, 1, 0), (3_000_000, 2, 1)]
    assert [plan.words for plan in plan_phases(of)] == ["5 users", "pause", "1 user"]
    assert list(arrivals(of, plan_phases(of), 1, 0, 1)) == []


def test_a_ramp_of_users_is_a_staircase_around_the_line():
    assert targets(closed({"users": [2, 4], "duration": "4s"})) == [
        (0, 0, 2), (1_000_000, 0, 3), (3_000_000, 0, 4),
    ]  # fmt: skip
    assert targets(closed({"users": [1, 0], "duration": "4s"})) == [(0, 0, 1), (2_000_000, 0, 0)]


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 5))
@settings(max_examples=40)
def test_injectors_share_the_users_fairly_at_every_moment(first, last, injectors):
    of = closed({"users": [first, last], "duration": "10s"}, {"pause": "1s"})
    shares = [targets(of, injector, injectors) for injector in range(injectors)]
    for at_us, _, users in targets(of):
        now = [
            next(count for begin, _, count in reversed(share) if begin <= at_us) for share in shares
        ]
        assert sum(now) == users
        assert max(now) - min(now) <= 1


def test_nothing_is_expected_of_users_whose_pace_is_not_known():
    of = closed({"users": 5, "duration": "2s"})
    assert expected_requests(of, plan_phases(of)) == 0
    assert peak_requests_rps(of, plan_phases(of)) == 0
