"""Costs and latencies over cold and warm calls, against a truth that is known."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.aws.invocation import invoke_once
from core.aws.prices import SNAP_START_RESTORE_USD_PER_GB, bundled_prices
from core.aws.session import AwsSession, LocalAccess
from reports.document import ColdMix
from sandbox.execution.model import parse_model, true_duration_ms
from tests.conftest import ROLE, zipped
from tests.tuner.factories import sample
from tuner.beliefs import believe
from tuner.cold_mix import (
    Calls,
    believe_cold,
    cold_view,
    mixed,
    restore_note,
    restore_usd,
    widened,
    with_cold,
)
from tuner.estimate import Floats, interval, interval_quantiles, typical_replicates
from tuner.objective import Goal, regrets
from tuner.sample import Sample
from tuner.worth import Worth

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

PRICE = bundled_prices().lambda_price("us-east-1", "x86_64")
WORTH = Worth(Goal("cost"), PRICE, 512)
SIZES = (128, 256, 512, 1024, 1769)
INIT_MS = 400.0


def duration_ms(memory_mb: int) -> float:
    """A function that waits for 20 ms and computes for 60 ms of one vCPU."""
    return 20 + 60 / min(1.0, memory_mb / 1769)


def true_usd(memory_mb: int, share: float, init_ms: float = INIT_MS) -> float:
    """The mean cost of a call; half a millisecond is the mean of rounding up."""
    warm_ms = duration_ms(memory_mb) + 0.5
    return (1 - share) * PRICE.invocation_usd(memory_mb, warm_ms) + share * PRICE.invocation_usd(
        memory_mb, warm_ms + init_ms
    )


def cold_call(memory_mb: int, init: float, duration: float, **changes: object) -> Sample:
    return sample(
        memory_mb,
        duration,
        **{
            "cold": True,
            "init_ms": init,
            "billed_ms": float(math.ceil(init + duration)),
            **changes,
        },
    )


def calls(rng: np.random.Generator, n: int, *, sigma: float) -> list[Sample]:
    """A cold call and `n` warm ones at each size, with heavy tails."""

    def scattered(value: float) -> float:
        return float(value * np.exp(sigma * rng.standard_t(2.5)))

    found = []
    for size in SIZES:
        found.append(cold_call(size, scattered(INIT_MS), scattered(duration_ms(size))))
        for _ in range(n):
            taken = scattered(duration_ms(size))
            found.append(sample(size, taken, billed_ms=float(math.ceil(taken))))
    return found


# Calls that do not scatter, so that all figures are known.
EXACT = [
    made
    for size in SIZES
    for made in (
        cold_call(size, INIT_MS, duration_ms(size)),
        *[sample(size, duration_ms(size)) for _ in range(5)],
    )
]
RESTORED = [
    cold_call(
        size,
        0.0,
        duration_ms(size),
        init_ms=None,
        restore_ms=200.0,
        billed_ms=float(math.ceil(duration_ms(size) + 60)),
    )
    for size in SIZES
]


def warm_times(samples: list[Sample], size: int) -> list[float]:
    return [
        s.duration_ms
        for s in samples
        if s.memory_mb == size and s.counts_as_warm and s.duration_ms is not None
    ]


def believed(samples: list[Sample], rng: np.random.Generator) -> Calls:
    """The warm side of an adaptive plan."""
    times = {size: warm_times(samples, size) for size in SIZES}
    curves = believe(times, SIZES, rng, 256).duration_ms
    return Calls(SIZES, WORTH.cost_usd(SIZES, WORTH.billed_ms(curves)), curves)


def resampled(samples: list[Sample], rng: np.random.Generator) -> Calls:
    """The warm side of a fixed plan."""
    columns = []
    for size in SIZES:
        times = np.array(warm_times(samples, size))
        replicates = typical_replicates(times[:, None], rng, 400)[:, 0]
        columns.append(widened(replicates, interval_quantiles(len(times))[0]))
    curves = np.stack(columns, axis=1)
    return Calls(SIZES, WORTH.cost_usd(SIZES, WORTH.billed_ms(curves)), curves)


def view_of(samples: list[Sample], warm: Calls, share: float, **more: str) -> ColdMix:
    cold = believe_cold(samples, SIZES, WORTH.cost_usd, np.random.default_rng(5), draws=256, **more)
    assert cold is not None
    return cold_view(samples, warm, cold, share, "given")


@pytest.mark.parametrize("warm_side", [believed, resampled], ids=["adaptive plan", "fixed plan"])
def test_ninety_per_cent_intervals_of_the_mixed_cost_hold_the_truth_about_that_often(
    warm_side: object,
) -> None:
    rng = np.random.default_rng(11)
    repetitions, share = 200, 0.1
    hits = 0
    for _ in range(repetitions):
        samples = calls(rng, 10, sigma=0.1)
        view = view_of(samples, warm_side(samples, rng), share)  # type: ignore[operator] # one of the two above
        for size in view.sizes:
            low, high = size.cost_interval
            hits += low <= true_usd(size.memory_mb, share) * 1e6 <= high

    assert 0.85 <= hits / (repetitions * len(SIZES)) <= 0.95


class TestExactCalls:
    def warm(self) -> Calls:
        curves = np.array([[duration_ms(size) for size in SIZES]] * 256)
        return Calls(SIZES, WORTH.cost_usd(SIZES, curves + 0.5), curves)

    @pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
    def test_figures_of_the_mix_are_means_over_cold_and_warm_calls(self, share: float) -> None:
        view = view_of(EXACT, self.warm(), share)

        assert (view.cold_share, view.source) == (share, "given")
        for size in view.sizes:
            warm_ms = duration_ms(size.memory_mb)
            assert (size.n_cold, size.init_ms) == (1, INIT_MS)
            assert size.cold_ms == pytest.approx(INIT_MS + warm_ms, rel=0.06)
            assert size.cold_billed_ms == pytest.approx(size.cold_ms, rel=0.02)
            assert size.mean_ms == pytest.approx(warm_ms + share * INIT_MS, rel=0.06)
            assert size.cost_usd_per_million == pytest.approx(
                true_usd(size.memory_mb, share) * 1e6, rel=0.06
            )

    def test_without_cold_calls_costs_are_the_warm_ones(self) -> None:
        view = view_of(EXACT, self.warm(), 0.0)

        assert [size.cost_usd_per_million for size in view.sizes] == pytest.approx(
            self.warm().cost_usd[0] * 1e6
        )

    def test_a_size_without_a_cold_sample_gets_its_figures_from_the_curve(self) -> None:
        some = [s for s in EXACT if not (s.cold and s.memory_mb == 512)]

        size = view_of(some, self.warm(), 0.5).sizes[2]

        assert (size.memory_mb, size.n_cold, size.init_ms) == (512, 0, None)
        assert size.cold_ms == pytest.approx(INIT_MS + duration_ms(512), rel=0.1)

    def test_many_cold_calls_move_the_cheapest_size_down(self) -> None:
        """INIT takes as long at any size, so that it is cheap where memory is."""
        cold = believe_cold(EXACT, SIZES, WORTH.cost_usd, np.random.default_rng(1))
        assert cold is not None
        cheapest = {
            share: SIZES[int(regrets(Goal("cost"), mix.cost_usd, mix.latency_ms).mean(0).argmin())]
            for share in (0.0, 0.5)
            for mix in [with_cold(self.warm(), cold, share)]
        }

        assert cheapest[0.5] == 128
        assert cheapest[0.0] == min(SIZES, key=lambda size: true_usd(size, 0.0))

    def test_without_cold_samples_nothing_is_believed(self) -> None:
        after_error = [cold_call(512, 300, 50, after_error=True), cold_call(64, 300, 50)]

        assert believe_cold(after_error, SIZES, WORTH.cost_usd, np.random.default_rng(1)) is None


class TestSnapStart:
    def test_a_restore_is_cold_and_has_a_price_of_its_own(self) -> None:
        cold = believe_cold(RESTORED, SIZES, WORTH.cost_usd, np.random.default_rng(1))
        assert cold is not None

        billed = np.median(cold.billed_ms, axis=0)
        usd = np.median(cold.cost_usd, axis=0)
        for column, size in enumerate(SIZES):
            restore = size / 1024 * SNAP_START_RESTORE_USD_PER_GB
            assert billed[column] == pytest.approx(duration_ms(size) + 60, rel=0.06)
            assert np.median(cold.latency_ms[:, column]) == pytest.approx(
                duration_ms(size) + 200, rel=0.06
            )
            assert usd[column] == pytest.approx(
                PRICE.invocation_usd(size, billed[column]) + restore
            )

    @pytest.mark.parametrize("runtime", ["java21", "python3.13", None])
    def test_restores_are_free_for_java(self, runtime: str | None) -> None:
        free = runtime == "java21"

        assert bool(restore_usd(RESTORED, SIZES, runtime).max() == 0) is free
        assert (restore_note(RESTORED, runtime) is None) is free

    def test_where_nothing_was_restored_there_is_no_price(self) -> None:
        init = [cold_call(512, 300.0, 50.0)]

        assert restore_usd(init, SIZES, "python3.13").max() == 0
        assert restore_note(init, "python3.13") is None


def test_replicates_are_widened_to_be_as_wide_as_they_are_read() -> None:
    replicates = np.exp(np.random.default_rng(2).normal(3, 0.05, 4000))
    bounds = interval(replicates, 6)
    assert bounds is not None

    wide: Floats = widened(replicates, interval_quantiles(6)[0])

    assert np.quantile(wide, (0.05, 0.95)) == pytest.approx(bounds, rel=0.01)


def test_a_mix_is_a_mean() -> None:
    assert mixed(np.array([[10.0, 20.0]]), np.array([[110.0, 20.0]]), 0.1).tolist() == [[20, 20]]


class TestModelledFunction:
    model = json.dumps(
        {
            "duration_ms": {"cpu_ms": 60, "wait_ms": 20},
            "init_ms": INIT_MS,
            "noise": {"log_sigma": 0.06, "dof": 2.5},
        }
    )
    name = "known-cold-starts"  # noise depends on it: each run meets the same

    @pytest.fixture
    def versions(self, lambda_client: LambdaClient) -> Iterator[dict[int, str]]:
        lambda_client.create_function(
            FunctionName=self.name,
            Runtime="python3.11",
            Role=ROLE,
            Handler="handler.handler",
            Code={"ZipFile": zipped("def handler(event, context): return event")},
            Environment={"Variables": {"SANDBOX_MODEL": self.model}},
        )
        wait = {"FunctionName": self.name, "WaiterConfig": {"Delay": 0}}
        lambda_client.get_waiter("function_active_v2").wait(**wait)  # type: ignore[arg-type] # as it takes
        made = {}
        for size in SIZES:
            lambda_client.update_function_configuration(FunctionName=self.name, MemorySize=size)
            lambda_client.get_waiter("function_updated_v2").wait(**wait)  # type: ignore[arg-type] # as it takes
            made[size] = lambda_client.publish_version(FunctionName=self.name)["Version"]
        yield made
        lambda_client.delete_function(FunctionName=self.name)

    def test_the_cost_of_the_mix_is_right_within_its_interval(
        self, local_access: LocalAccess, versions: dict[int, str]
    ) -> None:
        client = AwsSession(local=local_access).measuring_lambda(
            function_timeout_s=5, concurrency=1
        )
        samples = [
            self.invoked(client, size, version)
            for size, version in versions.items()
            for _ in range(9)
        ]
        client.close()

        share = 0.2
        view = view_of(samples, believed(samples, np.random.default_rng(1)), share)

        model = parse_model(self.model)
        assert [size.n_cold for size in view.sizes] == [1] * len(SIZES)
        for size in view.sizes:
            assert true_duration_ms(model, size.memory_mb) == duration_ms(size.memory_mb)
            low, high = size.cost_interval
            assert low <= true_usd(size.memory_mb, share) * 1e6 <= high
            assert high / low < 1.5

    def invoked(self, client: LambdaClient, size: int, version: str) -> Sample:
        report = invoke_once(client, self.name, version, b"{}").report
        assert report is not None
        return sample(
            size,
            report.duration_ms,
            version=version,
            billed_ms=report.billed_ms,
            cold=report.cold,
            init_ms=report.init_ms,
        )
