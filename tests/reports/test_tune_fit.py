"""How well a curve fits: residuals, the flat valley, and where more samples would help."""

from __future__ import annotations

import pytest

from reports.document import UnseenSize
from reports.figures import SPACE
from reports.tune_fit import sampling_sentence, valley_sentence
from reports.tune_residuals import residual_figure
from tests.reports import adaptive_documents as adaptive
from tests.reports import documents
from tests.reports.documents import saturating


def said(text: str) -> str:
    return text.replace(SPACE, " ")


def with_curve(document, **changes):
    """Each point of the curve as `changes` of its memory say."""
    assert document.model is not None
    curve = [
        point.model_copy(update={name: change(point) for name, change in changes.items()})
        for point in document.model.curve
    ]
    return document.model_copy(update={"model": document.model.model_copy(update={"curve": curve})})


def with_costs(costs: dict[int, float]):
    """A curve of few candidates with these costs."""
    document = adaptive.many_tied()
    assert document.model is not None
    curve = [
        document.model.curve[0].model_copy(
            update={"memory_mb": mb, "cost_usd_per_million": cost, "duration_ms": saturating(mb)}
        )
        for mb, cost in costs.items()
    ]
    return document.model_copy(update={"model": document.model.model_copy(update={"curve": curve})})


@pytest.mark.parametrize(
    ("costs", "sentence"),
    [
        (
            {512: 1.02, 1024: 1.0, 1769: 1.03, 3008: 1.9},
            "any size from 512 to 1,769 MB is within 3 % of the lowest cost ($1.00 per million",
        ),
        (
            {512: 1.5, 1024: 1.0, 1769: 1.04},
            "no other size is within 3 % of the lowest cost ($1.00 per million at 1,024 MB).",
        ),
        (
            {128: 1.0, 256: 1.2, 512: 1.02, 1024: 1.01},
            "any size of 128 or from 512 to 1,024 MB is within 3 %",
        ),
        (
            {1769: 1.0, 2048: 1.01, 3008: 1.5},
            "($1.00 per million at 1,769 MB), and as fast: the smallest of them is enough.",
        ),
    ],
    ids=["a valley", "one size", "two valleys", "no faster"],
)
def test_the_flat_valley_is_read_off_the_curve(costs, sentence):
    assert sentence in said(valley_sentence(with_costs(costs)))


def test_speed_that_costs_nothing_is_told():
    document = with_costs({512: 1.02, 1024: 1.0, 1769: 1.03})
    free = "the largest of them takes 68 % less time than the smallest, for about the same money."
    assert said(valley_sentence(document)).endswith(free)


def test_sizes_that_are_too_small_are_in_no_valley():
    document = documents.with_failures()
    assert document.model is not None
    wider = document.model_copy(update={"model": documents.model_of(saturating, 256, 3008)})
    assert "from 256" not in valley_sentence(wider)
    assert "from 5" in said(valley_sentence(wider))


def test_without_a_curve_nothing_is_said_of_it():
    document = documents.cpu_bound().model_copy(update={"model": None})
    assert valley_sentence(document) == sampling_sentence(document) == ""
    assert residual_figure(document, "a") is None


def test_sizes_worth_sampling_may_be_the_best_and_are_known_least():
    wide = with_curve(
        documents.waiting(),
        cost_band_usd_per_million=lambda point: (
            point.cost_usd_per_million * (0.5 if point.memory_mb > 200 else 0.99),
            point.cost_usd_per_million * 1.01,
        ),
    )
    text = said(sampling_sentence(wide))
    assert "where the lowest cost may be" in text
    assert "`tune webhook-forwarder --sizes " in text
    assert "--samples 40`" in text
    sizes = text.split(": ")[1].split(" MB")[0].replace(" and ", ", ").split(", ")
    # 256 MB costs nearly twice as much: half of that is the least that may be below 128 MB.
    assert all(192 <= int(size) <= 288 for size in sizes)


@pytest.mark.parametrize(
    ("band", "sentence"),
    [
        (lambda point: None, "The curve has no band"),
        (
            lambda point: (point.cost_usd_per_million * 0.999, point.cost_usd_per_million * 1.001),
            "No other size is worth more samples",
        ),
    ],
    ids=["no band", "a narrow one"],
)
def test_where_nothing_is_worth_sampling_the_reason_is_said(band, sentence):
    assert sentence in sampling_sentence(
        with_curve(documents.cpu_bound(), cost_band_usd_per_million=band)
    )


def test_an_adaptive_run_finds_its_sizes_itself():
    assert "`tune cart-totals --thorough`" in sampling_sentence(adaptive.many_tied())


def test_residuals_are_measured_over_fitted_with_a_level_at_one():
    figure = residual_figure(documents.cpu_bound(), "run-1")
    assert figure is not None
    assert (figure.title, figure.name) == ("Measured over fitted", "residuals")
    assert figure.data is not None
    at_512 = next(row for row in figure.data.rows if row.cells[0] == "512")
    typical = documents.size_result(512, saturating).duration_typical_ms
    assert typical is not None
    assert float(at_512.cells[1]) == pytest.approx(typical / saturating(512), abs=0.01)
    assert "All 8 intervals hold 1" in figure.help
    assert "as the curve says" in figure.drawings[0]


def test_sizes_that_the_curve_does_not_describe_are_named():
    document = documents.cpu_bound()
    off = document.sizes[2].model_copy(
        update={"duration_typical_ms": 2000.0, "duration_interval_ms": (1950.0, 2100.0)}
    )
    sizes = [*document.sizes[:2], off, *document.sizes[3:]]
    figure = residual_figure(document.model_copy(update={"sizes": sizes}), "run-1")
    assert figure is not None
    assert "1 of 8 intervals leaves out 1, at 512 MB: trust the table" in said(figure.help)


def test_an_adaptive_run_has_what_the_other_sizes_led_to_expect():
    document = adaptive.many_tied()
    assert document.model is not None
    assert residual_figure(document, "run-1") is None, "documents of older versions"
    unseen = [
        UnseenSize(
            memory_mb=mb, measured_ms=800, expected_ms=expected, expected_interval_ms=(low, 830)
        )
        for mb, expected, low in ((512, 760, 700), (1024, 0, 0))
    ]
    model = document.model.model_copy(update={"unseen": unseen})
    figure = residual_figure(document.model_copy(update={"model": model}), "run-1")
    assert figure is not None
    assert figure.data is not None
    assert [row.cells[:3] for row in figure.data.rows] == [["512", "1.053", "0.964 to 1.143"]]


@pytest.mark.parametrize(
    ("document", "rather"), [(adaptive.many_tied, "p50"), (documents.cpu_bound, "table")]
)
def test_where_the_curve_is_off_what_was_measured_there_is_to_be_trusted(document, rather):
    """Costs in the table of an adaptive run lean on the curve themselves; its p50 does not."""
    document = document()
    if rather == "p50":
        unseen = [
            UnseenSize(
                memory_mb=512, measured_ms=100, expected_ms=50, expected_interval_ms=(40, 60)
            )
        ]
        model = document.model.model_copy(update={"unseen": unseen})
        document = document.model_copy(update={"model": model})
    else:
        document = with_curve(document, duration_ms=lambda point: point.duration_ms * 3)
    figure = residual_figure(document, "run-1")
    assert f"trust the {rather} there, not the curve" in figure.help
