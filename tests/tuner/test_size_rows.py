"""The row of a size: what its samples say, and why it may be out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.aws.prices import bundled_prices
from tests.tuner.factories import failed, lost, sample
from tuner.believed import believed
from tuner.evidence import drawn
from tuner.objective import Goal, SloLimit
from tuner.recommend import SizeEvidence
from tuner.sample import Sample
from tuner.size_rows import size_row
from tuner.slo import slo_evidence
from tuner.worth import Worth

PRICE = bundled_prices().lambda_price("us-east-1", "x86_64")
WORTH = Worth(Goal("cost"), PRICE, 512)


def evidence_of(memory_mb: int) -> SizeEvidence:
    """What two warm calls at 512 MB say of a size."""
    samples = [sample(512, 100.0), sample(512, 102.0)]
    known = believed(samples, (256, 512), WORTH, np.random.default_rng(1))
    return next(e for e in drawn(samples, known, known.warm, WORTH) if e.memory_mb == memory_mb)


def test_a_size_with_evidence_has_figures_and_intervals() -> None:
    evidence = evidence_of(512)

    row = size_row(512, [sample(512, 100.0), sample(512, 102.0)], evidence, None)

    assert (row.n, row.n_cold, row.n_failed, row.failure) == (2, 0, 0, None)
    assert row.duration_ms is not None
    assert (row.duration_ms.p50, row.duration_ms.p95) == (101.0, 102.0)
    assert row.duration_typical_ms == evidence.duration_ms == pytest.approx(101, rel=0.1)
    assert row.cost_usd_per_million == evidence.cost_usd * 1e6
    assert row.cost_interval is not None
    assert row.cost_interval[0] < row.cost_usd_per_million < row.cost_interval[1]


def test_a_size_without_evidence_has_what_was_measured_and_no_figures() -> None:
    row = size_row(512, [sample(512, 100.0), failed(512)], None, None)

    assert row.duration_ms is not None
    assert (row.duration_typical_ms, row.billed_typical_ms) == (None, None)
    assert (row.cost_usd_per_million, row.cost_interval) == (None, None)
    assert row.failure == "timeout (1 of 2 calls)"


def test_a_size_of_which_only_the_cold_call_was_made_is_known_by_the_others() -> None:
    cold = sample(256, 300.0, cold=True, init_ms=150.0, billed_ms=450.0)

    row = size_row(256, [cold], evidence_of(256), None)

    assert (row.n, row.n_cold, row.duration_ms) == (0, 1, None)
    assert (row.cold_p50_ms, row.init_p50_ms, row.cold_billed_typical_ms) == (450.0, 150.0, 450.0)
    assert row.duration_typical_ms is not None
    assert row.failure is None


def test_a_refused_size_says_why_and_nothing_else() -> None:
    row = size_row(4096, [], None, "the account is capped at 3008 MB")

    assert row.failure == "the account is capped at 3008 MB"
    assert (row.n, row.n_cold, row.n_failed, row.duration_ms) == (0, 0, 0, None)
    assert row.max_memory_used_mb is None


@pytest.mark.parametrize(
    ("samples", "failure"),
    [
        pytest.param([], None, id="not invoked"),
        pytest.param([sample()] * 3, None, id="measured"),
        pytest.param([sample(), failed(512, "Sandbox.Timedout")], "timeout (1 of 2", id="timeout"),
        pytest.param(
            [*[sample()] * 9, failed(512, "Runtime.OutOfMemory")],
            "out of memory (1 of 10",
            id="out of memory once",
        ),
        pytest.param([*[sample()] * 2, failed(512, "KeyError")], None, id="an error of its own"),
        pytest.param(
            [sample(), *[failed(512, "KeyError")] * 2], "KeyError: why (2 of 3", id="given up"
        ),
        pytest.param([failed(512, "KeyError")], "KeyError: why (1 of 1", id="no warm call"),
        pytest.param([lost(512)] * 2, "no REPORT in the log tail (2 of 2", id="lost"),
        pytest.param(
            [lost(512), lost(512), lost(512), failed(512, "Sandbox.Timedout")],
            "timeout (4 of 4",
            id="what rules the size out is named before what is more frequent",
        ),
        pytest.param(
            [replace(failed(512, "KeyError"), error_message="x" * 200)],
            f"KeyError: {'x' * 99}… (1 of 1",
            id="a long message",
        ),
        pytest.param(
            [replace(failed(512, "KeyError"), error_message="one\ntwo")],
            "KeyError: one two (1 of 1",
            id="two lines",
        ),
    ],
)
def test_why_a_size_is_out(samples: list[Sample], failure: str | None) -> None:
    expected = None if failure is None else f"{failure} calls)"

    assert size_row(512, samples, None, None).failure == expected


def test_the_most_memory_that_a_call_used_is_told_even_of_failed_ones() -> None:
    calls = [
        sample(512, max_memory_used_mb=70),
        replace(failed(512), max_memory_used_mb=512),
        lost(512),
    ]

    assert size_row(512, calls, None, None).max_memory_used_mb == 512


def test_p95_is_the_order_statistic_that_a_limit_is_judged_by() -> None:
    samples = [sample(512, 100.0 + number) for number in range(20)]

    row = size_row(512, samples, evidence_of(512), None)
    judged = slo_evidence([s.duration_ms for s in samples if s.duration_ms], SloLimit(95, 300))

    assert row.duration_ms is not None
    assert row.duration_ms.p95 == judged.quantile_ms == 118.0
