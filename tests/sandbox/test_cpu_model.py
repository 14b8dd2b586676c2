"""The virtual clock: what a call would have taken with the CPU of its memory size."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.execution.cpu import (
    RUNTIME_CLIENT_CPU_MS,
    CpuModel,
    Interval,
    LinearShare,
    QuotaPeriods,
    VirtualClock,
    cpu_share,
    host_cpu_note,
    virtual_clock,
)

MODELS: tuple[CpuModel, ...] = ("linear", "cfs20", "off")
CORES = 8

# A busy host must not fail a test of arithmetic.
milliseconds = st.floats(0, 1000, allow_nan=False)
shares = st.floats(0.05, 6.0, allow_nan=False)


@st.composite
def serial_intervals(draw: st.DrawFn) -> Interval:
    """One thread: it runs, is kept from running, and waits, one after the other."""
    cpu_ms, run_delay_ms, waiting_ms = draw(milliseconds), draw(milliseconds), draw(milliseconds)
    return Interval(cpu_ms + run_delay_ms + waiting_ms, cpu_ms, run_delay_ms)


def virtual_ms(model: CpuModel, share: float, *intervals: Interval, cores: int = CORES) -> float:
    return total_ms(virtual_clock(model, share, cores), *intervals)


def total_ms(clock: VirtualClock, *intervals: Interval) -> float:
    for interval in intervals:
        clock.add(interval)
    return clock.virtual_ms


@given(st.lists(serial_intervals(), max_size=8), shares)
def test_serial_work_takes_its_waiting_plus_its_cpu_over_the_share(intervals, share):
    waiting_ms = sum(i.wall_ms - i.cpu_ms - i.run_delay_ms for i in intervals)
    cpu_ms = sum(i.cpu_ms for i in intervals)
    expected_ms = waiting_ms + cpu_ms / min(1.0, share)
    assert total_ms(LinearShare(share, CORES), *intervals) == pytest.approx(expected_ms, abs=1e-6)


@given(st.lists(serial_intervals(), max_size=8), shares)
def test_the_runtime_clients_own_cpu_is_not_stretched(intervals, share):
    plain_ms = total_ms(LinearShare(share, CORES), *intervals)
    spared_ms = min(sum(i.cpu_ms for i in intervals), RUNTIME_CLIENT_CPU_MS)
    expected_ms = plain_ms - spared_ms * (1 / min(1.0, share) - 1)
    assert virtual_ms("linear", share, *intervals) == pytest.approx(expected_ms, abs=1e-6)


@pytest.mark.parametrize(
    ("memory_mb", "expected_ms"),
    [(128, 691.0), (256, 345.5), (512, 172.8), (1024, 86.4), (1769, 50.0), (10240, 50.0)],
)
def test_a_cpu_bound_call_follows_the_memory_size(memory_mb, expected_ms):
    share = cpu_share(memory_mb)
    assert virtual_ms("linear", share, Interval(50, 50)) == pytest.approx(expected_ms, rel=0.01)


@given(serial_intervals(), shares, st.sampled_from(MODELS))
def test_time_never_runs_backwards(interval, share, model):
    clock = virtual_clock(model, share, CORES)
    clock.add(interval)
    before_ms = clock.virtual_ms
    clock.add(interval)
    assert clock.virtual_ms >= before_ms - 1e-9


@given(st.lists(serial_intervals(), max_size=6), shares, shares)
def test_more_memory_is_never_slower(intervals, one, other):
    slow, fast = sorted((one, other))
    assert virtual_ms("linear", slow, *intervals) >= virtual_ms("linear", fast, *intervals) - 1e-6


@given(milliseconds, st.sampled_from(MODELS), shares)
def test_waiting_is_flat(waiting_ms, model, share):
    assert virtual_ms(model, share, Interval(waiting_ms, 0)) == pytest.approx(waiting_ms)


@pytest.mark.parametrize("model", ["linear", "cfs20"])
def test_a_busy_host_does_not_count(model):
    quiet_ms = virtual_ms(model, 0.25, Interval(60, 50))
    assert virtual_ms(model, 0.25, Interval(160, 50, 100)) == pytest.approx(quiet_ms)


def test_without_a_model_the_clock_is_the_wall():
    assert virtual_ms("off", 0.1, Interval(30, 20), Interval(5, 5)) == 35


@pytest.mark.parametrize(
    ("threads", "share", "cores", "speed"),
    [
        pytest.param(4, 0.5, 4, 0.5, id="below one vCPU threads do not help"),
        pytest.param(4, 2.0, 4, 2.0, id="memory limits"),
        pytest.param(2, 4.0, 4, 2.0, id="threads limit"),
        pytest.param(4, 4.0, 2, 2.0, id="the host limits"),
    ],
)
def test_parallel_work_gets_what_threads_memory_and_host_allow(threads, share, cores, speed):
    running = min(threads, cores)
    interval = Interval(5.0, 5.0 * running, 5.0 * (threads - running), threads)
    taken_ms = virtual_ms("linear", share, *[interval] * 20, cores=cores)
    assert taken_ms == pytest.approx(100.0 * running / speed)


@pytest.mark.parametrize("threads", [1, 11])
def test_waits_that_are_credited_late_are_not_taken_for_parallel_work(threads):
    """Two processes take turns on one core, 4 ms each; Linux tells of a wait when it is over."""
    late = [
        Interval(5.0, 4.0, 0.0, threads),
        Interval(5.0, 1.0, 4.0, threads),
        Interval(5.0, 4.0, 4.0, threads),
        Interval(5.0, 1.0, 2.0, threads),
    ] * 5
    assert virtual_ms("linear", 4.0, *late) == pytest.approx(50.0, abs=0.01)
    assert virtual_ms("cfs20", 1.0, *late) == pytest.approx(50.0, abs=4.0)


@pytest.mark.parametrize(
    ("cpu_ms", "share", "expected_ms"),
    [
        pytest.param(1.0, 0.1, 1.0, id="fits into the quota of 2 ms: full speed"),
        pytest.param(2.0, 0.1, 2.0, id="ends with the quota: no pause after it"),
        pytest.param(3.0, 0.1, 21.0, id="one pause"),
        pytest.param(9.0, 0.1, 81.0, id="four pauses"),
        pytest.param(50.0, 1.0, 50.0, id="a whole vCPU never pauses"),
        pytest.param(50.0, 3.0, 50.0, id="one thread cannot use more"),
    ],
)
def test_quota_periods_let_bursts_run_free_and_then_pause(cpu_ms, share, expected_ms):
    assert virtual_ms("cfs20", share, Interval(cpu_ms, cpu_ms)) == pytest.approx(expected_ms)


# Steps of 0.1 ms and 1 %: a burst either ends with a quota or is clearly off it.
bursts_ms = st.integers(1, 3000).map(lambda tenths: tenths / 10)
small_shares = st.integers(6, 95).map(lambda percent: percent / 100)


@given(bursts_ms, small_shares, st.integers(1, 12))
def test_quota_periods_do_not_depend_on_how_a_burst_is_read(cpu_ms, share, parts):
    part = Interval(cpu_ms / parts, cpu_ms / parts)
    whole_ms = virtual_ms("cfs20", share, Interval(cpu_ms, cpu_ms))
    assert virtual_ms("cfs20", share, *[part] * parts) == pytest.approx(whole_ms, abs=1e-3)


@given(bursts_ms, small_shares)
def test_a_burst_takes_its_full_periods_and_the_rest(cpu_ms, share):
    quota_ms = 20 * share
    periods = math.ceil(round(cpu_ms / quota_ms, 6)) - 1
    expected_ms = periods * 20 + (cpu_ms - periods * quota_ms)
    assert virtual_ms("cfs20", share, Interval(cpu_ms, cpu_ms)) == pytest.approx(
        expected_ms, abs=0.01
    )


@given(st.lists(serial_intervals(), max_size=6), st.floats(0.06, 1.0))
def test_quota_periods_never_take_longer_than_the_linear_share_by_a_period(intervals, share):
    periods, linear = QuotaPeriods(share, CORES), LinearShare(share, CORES)
    for interval in intervals:
        periods.add(interval)
        linear.add(interval)
    assert periods.virtual_ms <= linear.virtual_ms + 20 * len(intervals) + 1e-3


def test_sizes_beyond_the_host_are_said_to_be():
    note = host_cpu_note(10240, cores=2)
    assert note is not None
    assert "5.8 vCPU" in note
    assert "this host has 2" in note
    assert host_cpu_note(3538, cores=2) is None
