"""Modelled functions: what a model may say, the truth that follows, and calls to it."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from pathlib import Path

import pytest
from execution_rig import call, model_environment, payload, request, version, with_executor
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from sandbox.execution.model import Model, parse_model, true_duration_ms

TABLE = {"duration_ms": {"128": 1000, "256": 510, "1024": 130}}

# A busy host must not fail a test of arithmetic.
sizes_mb = st.integers(1, 10240)
tables = st.dictionaries(sizes_mb, st.floats(0.01, 900_000), min_size=1, max_size=8)


def modelled(**model):
    memory_mb = model.pop("memory_mb", 128)
    timeout_s = model.pop("timeout_s", 10)
    environment = model_environment(TABLE | model)
    return version(Path(), "any", memory_mb=memory_mb, timeout_s=timeout_s, environment=environment)


def durations_ms(spec, calls):
    return [result.report.duration_ms for result in call(spec, *[{}] * calls)]


@pytest.mark.parametrize(
    ("memory_mb", "expected_ms"),
    [
        pytest.param(128, 1000, id="a point"),
        pytest.param(1024, 130, id="the last point"),
        pytest.param(64, 1000, id="below the points"),
        pytest.param(10240, 130, id="above the points"),
        pytest.param(512, (510 * 130) ** 0.5, id="half-way on log-log axes"),
    ],
)
def test_a_table_is_interpolated(memory_mb, expected_ms):
    model = parse_model(json.dumps(TABLE))
    assert true_duration_ms(model, memory_mb) == pytest.approx(expected_ms)


@given(tables, sizes_mb)
def test_interpolation_stays_between_its_neighbours(table, memory_mb):
    value_ms = true_duration_ms(Model(duration_ms=table), memory_mb)
    assert min(table.values()) * 0.999999 <= value_ms <= max(table.values()) * 1.000001
    for size_mb, duration_ms in table.items():
        at_point_ms = true_duration_ms(Model(duration_ms=table), size_mb)
        assert at_point_ms == pytest.approx(duration_ms)


@given(st.floats(0.001, 800), sizes_mb)
def test_interpolation_of_inverse_proportion_is_exact(scale, memory_mb):
    table = {1: scale * 1024, 1024: scale, 10240: scale / 10}
    model = Model(duration_ms=table)
    assert true_duration_ms(model, memory_mb) == pytest.approx(scale * 1024 / memory_mb)


@pytest.mark.parametrize(
    ("work", "memory_mb", "expected_ms"),
    [
        ({"cpu_ms": 80, "wait_ms": 20}, 1769, 100),
        ({"cpu_ms": 80, "wait_ms": 20}, 3538, 100),
        ({"cpu_ms": 80, "wait_ms": 20, "threads": 2}, 3538, 60),
        ({"cpu_ms": 80, "wait_ms": 20, "threads": 2}, 10240, 60),
        ({"cpu_ms": 80}, 128, 80 * 1769 / 128),
        ({"cpu_ms": 0, "wait_ms": 20}, 128, 20),
    ],
)
def test_work_divides_its_cpu_by_the_share(work, memory_mb, expected_ms):
    model = parse_model(json.dumps({"duration_ms": work}))
    assert true_duration_ms(model, memory_mb) == pytest.approx(expected_ms)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{}", "duration_ms: Field required"),
        ("not json", "Invalid JSON"),
        ("[]", "SANDBOX_MODEL: "),
        ('{"duration_ms": {}}', "duration_ms: Dictionary should have at least 1 item"),
        ('{"duration_ms": {"128": 0}}', "duration_ms.128: Input should be greater than 0 (got 0)"),
        ('{"duration_ms": {"128": 1e9}}', "duration_ms.128: Input should be less than"),
        ('{"duration_ms": {"0": 5}}', "greater than or equal to 1"),
        ('{"duration_ms": 5}', "duration_ms: Input should be an object (got 5)"),
        ('{"duration_ms": {"cpu_ms": 1, "cpus": 2}}', "duration_ms.cpus: Extra inputs"),
        ('{"duration_ms": {"cpu_ms": -1}}', "duration_ms.cpu_ms: "),
        ('{"duration_ms": {"wait_ms": 1}}', "duration_ms.cpu_ms: Field required"),
        ('{"duration_ms": {"128": 1}, "initms": 3}', "initms: Extra inputs are not permitted"),
        ('{"duration_ms": {"128": 1}, "failure": "crash"}', "failure: Input should be 'oom'"),
        ('{"duration_ms": {"128": 1}, "noise": {"log_sigma": -1}}', "noise.log_sigma: "),
        ('{"duration_ms": {"128": 1}, "noise": {"log_sigma": 1, "dof": 0}}', "noise.dof: "),
        (
            '{"duration_ms": {"128": 1}, "noise": {"log_sigma": 3, "dof": 0.01}}',
            "noise.dof: Input should be greater than or equal to 1 (got 0.01)",
        ),
        ('{"duration_ms": {"128": NaN}}', "SANDBOX_MODEL: "),
    ],
)
def test_a_bad_model_is_refused_with_key_and_value(text, problem):
    with pytest.raises(InputError) as caught:
        parse_model(text)
    assert "SANDBOX_MODEL: " in str(caught.value)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bad_model_is_the_functions_answer():
    spec = version(Path(), "any", environment={"SANDBOX_MODEL": "{}"})
    [result] = call(spec, {})
    assert result.function_error == "Unhandled"
    assert payload(result)["errorType"] == "Runtime.InvalidModel"
    assert "duration_ms: Field required" in payload(result)["errorMessage"]


def test_calls_take_what_the_model_says_without_waiting_for_it():
    took_s = []
    for _ in range(3):  # a stall of the host makes some of them longer, never shorter
        began_s = time.monotonic()
        cold, warm = call(modelled(init_ms=250, memory_used_mb=61, response={"ok": True}), {}, {})
        took_s.append(time.monotonic() - began_s)
    assert min(took_s) < 0.5
    assert payload(cold) == {"ok": True}
    assert cold.report.duration_ms == warm.report.duration_ms == 1000
    assert cold.report.init_ms == 250
    assert cold.report.billed_ms == 1250
    assert warm.report.init_ms is None
    assert warm.report.billed_ms == 1000
    assert warm.report.max_memory_used_mb == 61
    assert cold.log.startswith(b"INIT_START ")
    assert warm.log.startswith(b"START RequestId: ")
    assert b"\tDuration: 1000.00 ms\t" in warm.log


def test_a_model_that_holds_is_waited_out():
    spec = modelled(duration_ms={"128": 60}, init_ms=40, hold=True)
    overheads_ms = []
    for _ in range(3):  # a stall of the host makes some of them longer, never shorter
        began_s = time.monotonic()
        [result] = call(spec, {})
        assert time.monotonic() - began_s >= 0.1
        assert result.report.duration_ms == 60
        overheads_ms.append(result.overhead_ms)
    assert min(overheads_ms) < 40


def test_environments_of_a_model_are_cold_once_each():
    spec = modelled(duration_ms={"128": 50}, hold=True, init_ms=1)

    async def work(executor):
        first = await asyncio.gather(*(executor.invoke(spec, request()) for _ in range(20)))
        second = await asyncio.gather(*(executor.invoke(spec, request()) for _ in range(20)))
        return first, second

    first, second = with_executor(work)
    assert all(result.report.init_ms is not None for result in first)
    assert all(result.report.init_ms is None for result in second)


def test_idle_environments_of_a_model_expire():
    async def work(executor):
        await executor.invoke(modelled(), request())
        await asyncio.sleep(0.1)
        return await executor.invoke(modelled(), request())

    assert with_executor(work, idle_expiry_s=0.02).report.init_ms is not None


@pytest.mark.parametrize(
    ("model", "error_type", "status", "again_cold"),
    [
        ({"failure": "oom"}, "Runtime.OutOfMemory", "error", True),
        ({"failure": "timeout"}, "Sandbox.Timedout", "timeout", True),
        ({"failure": "error"}, "ModelledError", "error", False),
        ({"fails_below_mb": 256}, "Runtime.OutOfMemory", "error", True),
        ({"duration_ms": {"128": 11_000}}, "Sandbox.Timedout", "timeout", True),
    ],
)
def test_models_fail_as_functions_do(model, error_type, status, again_cold):
    first, second = call(modelled(**model), {}, {})
    assert first.function_error == "Unhandled"
    assert first.report.error_type == error_type
    assert first.report.status == status
    assert (second.report.init_ms is not None) == again_cold
    if status == "timeout":
        assert first.report.duration_ms == 10_000
    if error_type == "Runtime.OutOfMemory":
        assert first.report.max_memory_used_mb == 128
        assert payload(first)["errorType"] == "Runtime.ExitError"


@pytest.mark.parametrize("failure", ["oom", "timeout", "error"])
def test_a_model_fails_only_below_its_limit(failure):
    model = {"fails_below_mb": 256, "failure": failure}
    below, at = modelled(memory_mb=255, **model), modelled(memory_mb=256, **model)
    assert call(below, {})[0].function_error == "Unhandled"
    assert call(at, {})[0].function_error is None


def failed_calls(spec, calls):
    return [result.function_error is not None for result in call(spec, *[{}] * calls)]


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_a_share_of_calls_ends_in_an_error(share):
    failed = failed_calls(modelled(error_share=share), 2000)
    assert sum(failed) == pytest.approx(2000 * share, abs=60)
    if share in (0.0, 1.0):
        assert sum(failed) == 2000 * share


def test_the_same_calls_fail_in_each_run():
    spec = modelled(error_share=0.3)
    assert failed_calls(spec, 50) == failed_calls(spec, 50)
    assert failed_calls(spec, 50) != failed_calls(modelled(error_share=0.3, seed=1), 50)


def test_without_errors_durations_are_what_they_were():
    assert durations_ms(modelled(noise=NOISE), 20) == durations_ms(
        modelled(noise=NOISE, error_share=0.0), 20
    )


def test_a_failure_goes_before_the_share():
    [result] = call(modelled(failure="oom", error_share=1.0), {})
    assert result.report.error_type == "Runtime.OutOfMemory"


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_between_nothing_and_all(share):
    with pytest.raises(InputError, match="error_share: "):
        parse_model(json.dumps({"duration_ms": {"128": 1}, "error_share": share}))


def test_thousands_run_at_once_in_little_time():
    """3,000 calls of one second each, as many as possible at the same time."""
    spec = modelled(duration_ms={"128": 1000}, init_ms=0, hold=True)

    async def work(executor):
        began_s = time.process_time()
        results = await asyncio.gather(*(executor.invoke(spec, request()) for _ in range(3000)))
        assert len(results) == 3000
        return time.process_time() - began_s

    # 50 µs of CPU a call here; a busy machine makes that some times more.
    assert with_executor(work) < 2.0


NOISE = {"log_sigma": 0.2, "dof": 2.5}


def test_the_same_seed_gives_the_same_durations():
    assert durations_ms(modelled(noise=NOISE), 20) == durations_ms(modelled(noise=NOISE), 20)


@pytest.mark.parametrize("other", [{"seed": 1}, {"memory_mb": 129}])
def test_another_seed_or_size_gives_others(other):
    assert durations_ms(modelled(noise=NOISE), 5) != durations_ms(modelled(noise=NOISE, **other), 5)


@pytest.mark.parametrize("dof", [None, 2.5], ids=["normal", "heavy tails"])
def test_noise_leaves_the_median_where_the_model_has_it(dof):
    spec = modelled(noise={"log_sigma": 0.05, "dof": dof}, timeout_s=900)
    measured_ms = durations_ms(spec, 2000)
    assert statistics.median(measured_ms) == pytest.approx(1000, rel=0.01)
    assert statistics.stdev(measured_ms) > 20


def test_the_heaviest_tails_that_a_model_may_have_stay_numbers():
    """One in 350 of these would be more than the largest float."""
    spec = modelled(noise={"log_sigma": 3, "dof": 1}, timeout_s=900)
    for result in call(spec, *[{}] * 3000):
        assert 0 <= result.report.duration_ms <= 900_000
