"""Limits on a run: no call is started that is expected to go over one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tuner.factories import lost, sample
from tuner.budget import Ledger, LimitName, Limits, broken_limit
from tuner.sample import Sample


def ledger_of(*samples: Sample, in_flight: tuple[int, ...] = ()) -> Ledger:
    """A ledger after these calls, where a call costs a dollar for each ms."""
    ledger = Ledger(lambda memory_mb, billed_ms: billed_ms, longest_ms=1000)
    for item in samples:
        ledger.start(item.memory_mb)
        ledger.end(item.memory_mb, item)
    for size in in_flight:
        ledger.start(size)
    return ledger


def billed(memory_mb: int, usd: float, wall_ms: float = 1000.0) -> Sample:
    return sample(memory_mb, billed_ms=usd, wall_ms=wall_ms)


unheard = replace(lost(512), wall_ms=None)


@pytest.mark.parametrize(
    ("samples", "in_flight", "usd", "expected_usd"),
    [
        pytest.param([], (), 0, 0, id="nothing known"),
        pytest.param([billed(512, 3)], (), 3, 3, id="one call"),
        pytest.param([billed(512, 9), billed(512, 3)], (), 12, 3, id="the last call counts"),
        pytest.param([billed(1024, 7)], (), 7, 7, id="a smaller size costs no more"),
        pytest.param([billed(128, 2)], (), 2, 8, id="a larger size takes no longer"),
        pytest.param([billed(128, 2), billed(1024, 7)], (), 9, 7, id="the closer bound counts"),
        pytest.param(
            [billed(1024, 7), billed(1024, 1)], (), 8, 7, id="a new size begins with a cold call"
        ),
        pytest.param([billed(512, 3)], (512,), 6, 3, id="in flight at its size"),
        pytest.param([billed(512, 3)], (1024,), 9, 3, id="in flight at a new size"),
        pytest.param([billed(512, 3), unheard], (), 6, 3, id="a lost call may be billed"),
        pytest.param([unheard], (), 0, 0, id="only a lost call"),
        pytest.param(
            [replace(unheard, wall_ms=700.0)], (), 700, 700, id="a lost call that was waited for"
        ),
        pytest.param(
            [replace(unheard, wall_ms=5e6)], (), 1000, 1000, id="for longer than it may run"
        ),
    ],
)
def test_what_a_call_will_cost_is_expected_from_those_before(
    samples: list[Sample], in_flight: tuple[int, ...], usd: float, expected_usd: float
) -> None:
    ledger = ledger_of(*samples, in_flight=in_flight)

    assert ledger.committed_usd == usd
    assert ledger.expected_usd(512) == expected_usd


def test_a_call_that_was_never_sent_costs_nothing() -> None:
    ledger = ledger_of(billed(512, 3), in_flight=(512,))

    ledger.end(512, None)

    assert (ledger.calls, ledger.committed_usd) == (1, 3)


@pytest.mark.parametrize(
    ("limits", "broken"),
    [
        pytest.param(Limits(), None, id="no limit"),
        pytest.param(Limits(max_invocations=3), None, id="room for one call"),
        pytest.param(Limits(max_invocations=2), "max_invocations", id="no call left"),
        pytest.param(Limits(max_usd=9), None, id="just enough money"),
        pytest.param(Limits(max_usd=8.9), "max_usd", id="not enough money"),
        pytest.param(Limits(max_seconds=12), None, id="just enough time"),
        pytest.param(Limits(max_seconds=11.9), "max_seconds", id="it would end too late"),
        pytest.param(Limits(2, 1, 1), "max_invocations", id="all of them"),
    ],
)
def test_a_limit_is_broken_by_the_call_that_would_go_over(
    limits: Limits, broken: LimitName | None
) -> None:
    ledger = ledger_of(billed(512, 5), billed(512, 2, wall_ms=2000))

    assert broken_limit(limits, ledger, 512, elapsed_s=10) == broken


@given(
    costs=st.lists(st.floats(0.1, 10), min_size=1, max_size=60),
    max_usd=st.floats(0.1, 100),
    max_invocations=st.integers(1, 60),
)
def test_calls_that_cost_what_the_one_before_did_never_go_over(
    costs: list[float], max_usd: float, max_invocations: int
) -> None:
    limits, ledger = Limits(max_invocations, max_usd), ledger_of()
    surprise = 0.0

    for usd in costs:
        if broken_limit(limits, ledger, 512, elapsed_s=0):
            break
        surprise = max(surprise, usd - ledger.expected_usd(512))
        ledger.start(512)
        ledger.end(512, replace(sample(512), billed_ms=usd))

    assert ledger.calls <= max_invocations
    # Beyond the limit by no more than one call cost more than was expected of it.
    assert ledger.usd <= max_usd + surprise + 1e-9
