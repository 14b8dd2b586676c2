"""What is taken from a run: quantiles with honest errors, bills, curves, and why not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reports.document import TuneDocument
from reports.histogram import Histogram, merged, of_ms, quantile_ms
from reports.history.record import RunRecord
from reports.load_cost_parts import LoadCostPart
from reports.load_document import CalledFunction, LoadDocument, LoadSpent
from reports.load_histograms import RunHistograms
from reports.nightly.observe import absent_figures, record_of
from reports.nightly.savings import savings_of
from reports.regression.within_night import log_error
from tests.reports import adaptive_documents, documents, load_documents
from tests.reports.compared_loads import Told, Truth, run_of
from tests.reports.nights_of_runs import night


def taken(document: LoadDocument | TuneDocument) -> RunRecord:
    return record_of(document, plan="shop", step="orders", night=night(3))


def blocks_of(levels: np.ndarray, rng: np.random.Generator, each: int = 200) -> list[Histogram]:
    """Blocks of log-normal latencies around the levels."""
    return [of_ms(50 * np.exp(level + 0.4 * rng.standard_normal(each))) for level in levels]


# -- how sure a quantile is -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levels", "phases"),
    [
        pytest.param(np.zeros(8), None, id="a constant rate"),
        pytest.param(np.linspace(0, math.log(2), 16), None, id="a ramp"),
        pytest.param(np.repeat([0.0, math.log(2)], 4), [0] * 4 + [1] * 4, id="two phases"),
    ],
)
@pytest.mark.parametrize("q", [0.5, 0.95])
def test_the_error_of_a_night_is_about_that_of_nights(
    levels: np.ndarray, phases: list[int] | None, q: float
) -> None:
    rng = np.random.default_rng(6)
    nights = [blocks_of(levels, rng) for _ in range(40)]
    true = float(np.std([math.log(quantile_ms(merged(blocks), q)) for blocks in nights]))

    said = [log_error(blocks, q, phases) for blocks in nights]

    known = [one for one in said if one is not None]
    assert len(known) == 40
    assert 0.75 * true < float(np.sqrt(np.mean(np.square(known)))) < 2 * true


def test_blocks_that_differ_make_a_night_less_sure() -> None:
    rng = np.random.default_rng(1)
    quiet = log_error(blocks_of(np.zeros(12), rng), 0.95)
    restless = log_error(blocks_of(0.2 * rng.standard_normal(12), rng), 0.95)

    assert quiet is not None
    assert restless is not None
    assert restless > 2 * quiet


def test_too_few_blocks_or_requests_have_no_error() -> None:
    rng = np.random.default_rng(1)
    blocks = blocks_of(np.zeros(8), rng, each=10)

    assert log_error(blocks[:3], 0.5) is None
    assert log_error([], 0.5) is None
    assert log_error(blocks, 0.999) is None
    assert log_error([*blocks[:3], *[of_ms([])] * 5], 0.5) is None
    assert log_error([of_ms([5.0] * 20)] * 8, 0.5) == pytest.approx(0.0005)


# -- load runs --------------------------------------------------------------------------------


def test_a_load_run_has_its_quantiles_by_step_with_errors_and_blocks() -> None:
    steps = (Told("GET /products", 50, 400), Told("GET /search", 80, 30))
    document = run_of(Truth(seed=1, steps=steps))

    record = taken(document)

    values = {(point.scope, point.metric): point for point in record.points}
    assert set(values) == {
        ("the run", "p50"), ("the run", "p95"), ("the run", "p99"),
        ("GET /products", "p50"), ("GET /products", "p95"), ("GET /products", "p99"),
        ("GET /search", "p50"), ("GET /search", "p95"),
    }  # fmt: skip
    p95 = values["GET /products", "p95"]
    assert p95.value == pytest.approx(50 * math.exp(0.4 * 1.645), rel=0.05)
    assert p95.n == 3200
    assert p95.error_ln == pytest.approx(0.85 / math.sqrt(3200), rel=0.6)
    assert [scope.scope for scope in record.blocks] == ["the run", "GET /products", "GET /search"]
    assert len(record.blocks[1].blocks) == 8
    assert absent_figures(document) == ["GET /search: 240 ok requests are too few: p99 needs 500"]
    assert (record.night, record.sequence, record.branch) == ("2026-11-03", 3, "main")
    assert record.valid
    assert RunRecord.model_validate_json(record.model_dump_json()) == record


def test_a_run_of_one_step_is_judged_once() -> None:
    record = taken(run_of(Truth(seed=1)))

    assert {point.scope for point in record.points} == {"GET /products"}
    assert [one.scope for one in record.blocks] == ["GET /products"]


def test_steps_of_one_name_are_told_apart_by_their_scenario() -> None:
    document = run_of(Truth(seed=1, steps=(Told("GET /x"), Told("GET /x"))))
    first, second = document.steps
    document = document.model_copy(
        update={"steps": [first, second.model_copy(update={"scenario": "other"})]}
    )

    record = taken(document)

    scopes = [scope.scope for scope in record.blocks]
    assert scopes == ["the run", f"{first.scenario}: GET /x", "other: GET /x"]


def test_a_bill_is_kept_part_by_part_and_is_of_admitted_requests() -> None:
    parts = [
        LoadCostPart(part="api_requests", amount=1e6, unit="requests", unit_usd=3.5e-6, detail=""),
        LoadCostPart(part="lambda_duration", amount=100, unit="GB-s", unit_usd=1.6e-5, detail=""),
        LoadCostPart(part="lambda_init", amount=None, unit="GB-s", unit_usd=1.6e-5, detail=""),
    ]
    spent = LoadSpent(
        usd=0.0, estimated_usd=None, detail=[], parts=parts, as_if=True, prices_date="2026-08-12"
    )
    document = load_documents.document(
        load_documents.simulate(load_documents.SHOP_PHASES, load_documents.SHOP_STEPS, 3),
        spent=spent,
    )
    admitted = sum(p.requests.completed - p.outcomes.throttled for p in document.phases)

    record = taken(document)

    assert [part.part for part in record.bill] == ["api_requests", "lambda_duration"]
    assert record.bill_requests == admitted
    (cost,) = [point for point in record.points if point.metric == "cost"]
    assert cost.value == pytest.approx((3.5 + 0.0016) / admitted * 1e6)
    assert record.prices is not None
    assert record.prices.gb_second_usd == 1.6e-5


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param(load_documents.invalid(), "invalid: start lag p99 is 41.2 ms", id="invalid"),
        pytest.param(load_documents.interrupted(), "interrupted: stopped by", id="interrupted"),
        pytest.param(load_documents.nothing_at_all(), "refused: the run may cost", id="refused"),
        pytest.param(load_documents.failed(), "ended early by its threshold", id="aborted"),
        pytest.param(documents.invalid(), "invalid: the function's code changed", id="tune"),
        pytest.param(documents.empty(), "interrupted: stopped by SIGTERM", id="tune empty"),
    ],
)
def test_what_cannot_be_trusted_is_kept_and_says_why(
    document: LoadDocument | TuneDocument, reason: str
) -> None:
    record = taken(document)

    assert not record.valid
    assert record.invalid_reasons[0].startswith(reason)


def test_a_run_that_only_failed_its_thresholds_is_valid() -> None:
    assert taken(run_of(Truth(seed=1, changes={"verdict": "failed"}))).valid


def test_older_documents_have_no_quantiles_and_say_so() -> None:
    document = load_documents.five_causes()

    record = taken(document)

    assert record.points == []
    assert absent_figures(document) == ["no histograms by blocks of time: no quantile is kept"]


@pytest.mark.parametrize("document", load_documents.all_documents(), ids=lambda d: d.name)
def test_every_load_document_gives_a_record(document: LoadDocument) -> None:
    assert taken(document).kind == "load"


def test_the_functions_behind_a_load_are_in_its_key() -> None:
    functions = [
        CalledFunction(name="search", memory_mb=512, arch="arm64", timeout_s=5, steps=[0]),
        CalledFunction(name="orders", memory_mb=256, arch="x86_64", timeout_s=5, steps=[0]),
    ]

    key = taken(run_of(Truth(seed=1, changes={"functions": functions}))).key

    assert (key.arch, key.memory_mb) == ("arm64+x86_64", [512, 256])


def test_blocks_without_ok_requests_are_kept_and_count_for_nothing() -> None:
    document = run_of(Truth(seed=1))
    kept = document.histograms
    assert isinstance(kept, RunHistograms)
    blocks = [kept.blocks[0].model_copy(update={"ok": 0, "ok_response": None}), *kept.blocks[1:]]
    document = document.model_copy(
        update={"histograms": kept.model_copy(update={"blocks": blocks}), "steps": []}
    )

    p50, *_ = taken(document).points

    assert p50.n == 7 * 400


# -- tunings ----------------------------------------------------------------------------------


def test_a_tuning_has_its_curve_and_figures_at_todays_size() -> None:
    document = documents.cpu_bound()

    record = taken(document)

    size = next(size for size in document.sizes if size.memory_mb == 512)
    assert [row.memory_mb for row in record.sizes] == [s.memory_mb for s in document.sizes]
    points = {point.metric: point for point in record.points}
    assert points["duration"].value == size.duration_typical_ms
    assert points["cost"].value == pytest.approx(size.cost_usd_per_million, rel=0.001)
    assert size.cost_interval is not None
    low, high = size.cost_interval
    assert points["cost"].error_ln == pytest.approx(math.log(high / low) / 2 / 1.645, rel=0.01)
    assert (record.current_mb, record.recommended_mb) == (512, 1769)
    assert record.code_sha256 == [document.function.code_sha256]
    assert RunRecord.model_validate_json(record.model_dump_json()) == record


def test_an_adaptive_run_says_the_same_sizes_every_night() -> None:
    record = taken(adaptive_documents.many_tied())

    called = [row for row in record.sizes if row.n]
    assert len(record.sizes) > len(called) > 2
    assert all(row.error_ln for row in record.sizes)
    costs = {point.metric: point.value for point in record.points}
    assert costs["cost"] == pytest.approx(7.25, rel=0.01)


def test_a_size_that_failed_is_no_point_of_the_curve() -> None:
    document = documents.with_failures()
    failed = {size.memory_mb for size in document.sizes if size.failure}

    record = taken(document)

    assert failed
    assert not failed & {row.memory_mb for row in record.sizes}
    assert absent_figures(document) == [
        "today's size, 512 MB, lies outside of the measured ones: give it in sizes"
    ]


@pytest.mark.parametrize(
    "document",
    [*documents.all_documents(), *adaptive_documents.all_adaptive()],
    ids=lambda d: d.function.name,
)
def test_every_tuning_gives_a_record(document: TuneDocument) -> None:
    record = taken(document)

    assert record.kind == "tune"
    assert all(point.value > 0 for point in record.points)


def test_storage_above_512_mb_is_in_the_cost() -> None:
    document = documents.cpu_bound()
    function = document.function.model_copy(update={"ephemeral_storage_mb": 1536})
    prices = document.prices.model_copy(update={"storage_gb_second_usd": 3e-8})
    large = document.model_copy(update={"function": function, "prices": prices})

    costs = [
        next(point.value for point in taken(one).points if point.metric == "cost")
        for one in (document, large)
    ]

    billed_s = next(s.billed_typical_ms or 0 for s in document.sizes if s.memory_mb == 512) / 1000
    assert costs[1] - costs[0] == pytest.approx(3e-8 * billed_s * 1e6)


# -- savings ----------------------------------------------------------------------------------


def test_a_saving_is_told_where_it_is_surely_above_five_per_cent() -> None:
    found = savings_of(documents.waiting(), "forwarder")

    assert found is not None
    assert (found.from_mb, found.to_mb) == (512, 128)
    assert found.saving_interval[0] > 0.05


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(documents.cpu_bound(), id="dearer"),
        pytest.param(documents.local(), id="keeps its size"),
        pytest.param(documents.inconclusive(), id="inconclusive"),
        pytest.param(documents.empty(), id="nothing"),
        pytest.param(
            documents.waiting().model_copy(update={"verdict": "interrupted"}), id="interrupted"
        ),
    ],
)
def test_anything_less_is_no_saving(document: TuneDocument) -> None:
    assert savings_of(document, "x") is None
