"""Known truth: real processes with work of a known size, at several memory sizes."""

from __future__ import annotations

import itertools
import os
import signal
import statistics
import subprocess
import sys
import time

import pytest
from execution_rig import call, is_running, version, write_handlers

from sandbox.execution import procfs
from sandbox.execution.cpu import MB_PER_VCPU
from sandbox.execution.libproc import MacProbe
from sandbox.execution.procfs import LinuxProbe

pytestmark = pytest.mark.skipif(not procfs.available(), reason="needs /proc")

BURNER = "import time; e = time.monotonic() + 20\nwhile time.monotonic() < e: sum(range(200))"


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    return write_handlers(tmp_path_factory.mktemp("code"))


def warm_durations_ms(spec, event, calls):
    results = call(spec, *[event] * (calls + 1))
    assert all(result.function_error is None for result in results)
    return [result.report.duration_ms for result in results[1:]]


@pytest.mark.parametrize("memory_mb", [128, 512, 1769])
def test_cpu_work_takes_as_long_as_its_memory_size_makes_it(code, memory_mb):
    cpu_ms = 25 if memory_mb == 128 else 40
    durations_ms = warm_durations_ms(
        version(code, "burn", memory_mb=memory_mb), {"cpu_ms": cpu_ms}, 5
    )
    expected_ms = cpu_ms * MB_PER_VCPU / memory_mb
    assert statistics.median(durations_ms) == pytest.approx(expected_ms, rel=0.1)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores")
@pytest.mark.parametrize("memory_mb", [884, 1769])
def test_threads_do_not_help_up_to_one_vcpu(code, memory_mb):
    """Waits of threads that ended between two readings are not known, and so not taken off: a busy
    host makes a call longer and never shorter, so the shortest is the truest.
    """
    spec = version(code, "burn_in_threads", memory_mb=memory_mb)
    durations_ms = warm_durations_ms(spec, {"cpu_ms": 40, "threads": 2}, 5)
    expected_ms = 2 * 40 * MB_PER_VCPU / memory_mb
    assert min(durations_ms) == pytest.approx(expected_ms, rel=0.2)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores")
def test_threads_help_at_two_vcpus(code):
    """40 ms on a quiet host. On a busy one the threads end one after the other, at 80 ms at most,
    since a thread that has ended wants no core any more.
    """
    spec = version(code, "burn_in_threads", memory_mb=2 * MB_PER_VCPU)
    durations_ms = warm_durations_ms(spec, {"cpu_ms": 40, "threads": 2}, 7)
    assert 36 < min(durations_ms) < 70


def test_waiting_takes_as_long_at_any_size(code):
    """What is left at 128 MB is the CPU of the runtime client, as on AWS: 0.5-1 ms times 13.8.

    A busy host wakes a sleeper late, and never early: the shortest call is the truest.
    """
    small_ms, large_ms = (
        min(warm_durations_ms(version(code, "sleep", memory_mb=size), {"ms": 100}, 5))
        for size in (128, 1769)
    )
    assert large_ms == pytest.approx(100, rel=0.1)
    assert small_ms == pytest.approx(large_ms, rel=0.25)


def test_the_caller_waits_for_the_virtual_time(code):
    began_s = time.monotonic()
    results = call(version(code, "burn", memory_mb=128), {"cpu_ms": 1}, {"cpu_ms": 40})
    passed_ms = (time.monotonic() - began_s) * 1000
    assert passed_ms > sum(result.report.duration_ms for result in results)


def test_without_a_model_nothing_is_stretched(code):
    spec = version(code, "burn", memory_mb=128)
    *_, result = call(spec, {"cpu_ms": 1}, {"cpu_ms": 40}, cpu_model="off")
    assert result.report.duration_ms < 40 * MB_PER_VCPU / 128 / 2


def test_quota_periods_answer_short_bursts_at_full_speed(code):
    """At 512 MB a period holds 5.8 ms of CPU: 2 ms fit, and are not stretched to 7."""
    durations_ms = {}
    for model in ("linear", "cfs20"):
        spec = version(code, "burn", memory_mb=512)
        results = call(spec, *[{"cpu_ms": 2}] * 6, cpu_model=model)
        durations_ms[model] = statistics.median(r.report.duration_ms for r in results[1:])
    assert durations_ms["cfs20"] < durations_ms["linear"] * 0.75


def test_a_busy_host_hardly_moves_the_duration(code):
    burners = [
        subprocess.Popen([sys.executable, "-S", "-c", BURNER])
        for _ in range((os.cpu_count() or 1) + 1)
    ]
    try:
        durations_ms = warm_durations_ms(version(code, "burn", memory_mb=1024), {"cpu_ms": 30}, 5)
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    expected_ms = 30 * MB_PER_VCPU / 1024
    assert min(durations_ms) == pytest.approx(expected_ms, rel=0.2)


def test_cpu_of_children_counts(code):
    spec = version(code, "burn_in_child", memory_mb=512)
    durations_ms = warm_durations_ms(spec, {"cpu_ms": 60}, 2)
    assert statistics.median(durations_ms) > 60 * MB_PER_VCPU / 512 * 0.9


def test_the_probe_sees_cpu_memory_and_the_end_of_a_process():
    script = "x = b'1' * 50_000_000; print(flush=True); input(); e = __import__('time')\n"
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", script + "while True: pass"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    probe = LinuxProbe(process.pid)
    try:
        process.stdout.readline()
        before = probe.read()
        assert probe.resident_mb() > 48
        assert probe.peak_resident_mb() >= probe.resident_mb() - 1
        process.stdin.write(b"\n")
        process.stdin.flush()
        deadline_s = time.monotonic() + 10
        while (now := probe.read()) and now.cpu_ns - before.cpu_ns < 50_000_000:
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        assert now.at_ns - before.at_ns >= 40_000_000
    finally:
        process.kill()
        process.communicate()
    assert not is_running(process.pid)
    assert probe.read() is None
    assert probe.resident_mb() == 0
    assert probe.peak_resident_mb() == 0
    probe.close()


def test_the_peak_is_read_again_when_memory_may_have_grown():
    """Between two looks the process takes 40 MB and gives them back, time after time."""
    script = (
        "for line in iter(input, 'end'):\n"
        "    block = b'1' * (int(line) * 1024 * 1024)\n"
        "    del block\n"
        "    print(flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    probe = LinuxProbe(process.pid)

    def peak_after(mb):
        process.stdin.write(b"%d\n" % mb)
        process.stdin.flush()
        process.stdout.readline()
        assert probe.read() is not None
        return probe.peak_resident_mb()

    try:
        first_mb = peak_after(1)
        assert peak_after(40) > first_mb + 35
        assert peak_after(1) > first_mb + 35
        assert peak_after(80) > first_mb + 75
        assert probe.resident_mb() < first_mb + 35
    finally:
        process.communicate(b"end\n")
        probe.close()


FAMILIES = """
import ctypes, os, subprocess, sys, time
block = bytearray(b"1" * (60 * 1024 * 1024))
def write_all():
    for at in range(0, len(block), 4096):
        block[at] = 2
def vforked():
    # Returns in the child only, in the memory of its parent, which waits for it to exec or end.
    ctypes.PyDLL(None).vfork()
def forked(then):
    if os.fork() == 0:
        then()
        ready()
        time.sleep(60)
def ready():
    os.write(1, b"ready\\n")
def hog():
    code = "import os, time; x = b'1' * (60 << 20); os.write(1, b'ready' + bytes([10])); "
    code += "time.sleep(60)"
    subprocess.Popen([sys.executable, "-S", "-c", code])
"""


@pytest.mark.parametrize(
    ("start", "ready_lines", "least_mb", "most_mb"),
    [
        pytest.param("vforked(); ready()", 1, 60, 100, id="between vfork and exec"),
        pytest.param("forked(lambda: None)", 1, 60, 100, id="forked, all shared"),
        pytest.param("forked(write_all)", 1, 120, 160, id="forked, all written"),
        pytest.param("forked(lambda: forked(write_all))", 2, 120, 180, id="a grandchild"),
        pytest.param("hog()", 1, 120, 160, id="memory of its own"),
        pytest.param("hog(); hog()", 2, 180, 230, id="twins"),
        pytest.param(
            "hog(); vforked(); ready()", 2, 120, 160, id="beside one between vfork and exec"
        ),
    ],
)
def test_memory_of_descendants_counts_once(start, ready_lines, least_mb, most_mb):
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", f"{FAMILIES}\n{start}\ntime.sleep(60)"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    probe = LinuxProbe(process.pid, clock=lambda: 0.0)
    try:
        for _ in range(ready_lines):
            assert process.stdout.readline() == b"ready\n"
        looks_mb = []
        for _ in range(3):
            assert probe.read() is not None
            looks_mb.append(probe.resident_mb())
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        probe.close()
    assert looks_mb[0] < 100, "seen once may be about to exec"
    assert least_mb <= looks_mb[1] <= most_mb
    assert looks_mb[2] == pytest.approx(looks_mb[1], abs=5)


def test_all_children_are_found_however_many_there_are():
    """The kernel tells 680 to 820 at a time."""
    script = """
import os, time
children = 0
while children < 1000:
    if os.fork() == 0:
        time.sleep(60)
    children += 1
print(flush=True)
time.sleep(60)
"""
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", script], stdout=subprocess.PIPE, start_new_session=True
    )
    probe = LinuxProbe(process.pid)
    try:
        process.stdout.readline()
        children = probe.descendants()
        reading = probe.read()
        assert {os.getpgid(pid) for pid in children} == {process.pid}
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        probe.close()
    assert len(set(children)) == 1000
    assert reading.threads == 1001


def test_shared_memory_is_told_roughly_where_it_makes_no_difference():
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", f"{FAMILIES}\nforked(lambda: None)\ntime.sleep(60)"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    probe = LinuxProbe(process.pid)
    try:
        assert process.stdout.readline() == b"ready\n"
        probe.read()
        probe.resident_mb()
        assert 60 <= probe.resident_mb(known_mb=100) < 100, "above it, it is told exactly"
        assert 120 <= probe.resident_mb(known_mb=200) < 200
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        probe.close()


def test_shared_memory_is_counted_seldom_and_once_more_at_the_end_of_a_call():
    """By the clock of this test each count takes a second, so that the next is due after 20."""
    script = """
for _ in range(2):
    if os.fork() == 0:
        os.read(0, 1)
        write_all()
        ready()
        time.sleep(60)
ready()
time.sleep(60)
"""
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", FAMILIES + script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    ticks = itertools.count()
    probe = LinuxProbe(process.pid, clock=lambda: float(next(ticks)))

    def look_mb():
        probe.read()
        return probe.resident_mb(limit_mb=100)

    try:
        assert process.stdout.readline() == b"ready\n"
        look_mb()
        assert 60 <= look_mb() < 100
        assert probe.counting_s == 1
        process.stdin.write(b"xx")
        process.stdin.flush()
        assert process.stdout.readline() == process.stdout.readline() == b"ready\n"
        assert look_mb() < 100, "pages that are no longer shared do not show in the sum"
        assert probe.counting_s == 1
        assert probe.peak_resident_mb() >= 180
        assert probe.counting_s == 2
        probe.peak_resident_mb()
        assert probe.counting_s == 2, "that is told already"
        assert max(look_mb() for _ in range(40)) >= 180
        assert probe.counting_s < 6
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        probe.close()


def test_the_probe_of_macos_reckons_in_ticks():
    """The library call is replaced; 125/3 ns is a tick of Apple's processors."""
    gone = set()

    def read_usage(pid, usage):
        usage.ri_user_time, usage.ri_system_time = 24_000_000, 12_000_000
        usage.ri_resident_size = 64 * 1024 * 1024
        return -1 if pid in gone else 0

    probe = MacProbe(7, read_usage, 125 / 3)
    reading = probe.read()
    assert reading is not None
    assert reading.cpu_ns == 1_500_000_000
    assert reading.run_delay_ns == 0
    assert probe.resident_mb() == 64
    gone.add(7)
    assert probe.read() is None
    assert probe.resident_mb() == 0


def test_the_probe_follows_threads_that_come_and_go():
    script = (
        "import threading, time\n"
        "for _ in range(60):\n"
        "    t = [threading.Thread(target=lambda: sum(range(20000))) for _ in range(4)]\n"
        "    [x.start() for x in t]; [x.join() for x in t]\n"
        "input()\n"
    )
    process = subprocess.Popen([sys.executable, "-S", "-c", script], stdin=subprocess.PIPE)
    probe = LinuxProbe(process.pid)
    try:
        readings = []
        deadline_s = time.monotonic() + 0.5
        while time.monotonic() < deadline_s:
            readings.append(probe.read())
    finally:
        process.communicate(b"\n")
        probe.close()
    assert None not in readings
    delays_ns = [reading.run_delay_ns for reading in readings]
    cpus_ns = [reading.cpu_ns for reading in readings]
    assert delays_ns == sorted(delays_ns)
    assert cpus_ns == sorted(cpus_ns)
