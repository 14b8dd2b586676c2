"""The percentile spectrum: what is drawn and told of it, with histograms and without."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.figures import SPACE
from reports.frame import WIDE
from reports.histogram import Histogram, encoded, merged, of_ms, spectrum_shares
from reports.load_document import LoadDocument
from reports.load_histograms import LatencyBlock, RunHistograms
from reports.load_spectrum import percentile_figure
from reports.percentile_chart import draw_percentile_chart, spectrum_figure
from reports.spectra import Look, Spectrum, Target, percentile_name, rarity, spectrum_data
from tests.reports import load_documents

LOOK = Look("c-data", "#0b5cad")
FIVE = [(0.5, 20.0), (0.9, 40.0), (0.95, 60.0), (0.99, 90.0), (0.999, 140.0)]


def drawn(*spectra: Spectrum, targets: tuple[Target, ...] = ()) -> str:
    return draw_percentile_chart(spectra, WIDE, "a", "finding", targets=targets)


def blocks_of(centres_ms: list[float], n: int = 500) -> list[Histogram]:
    rng = np.random.default_rng(1)
    return [of_ms(rng.lognormal(np.log(centre), 0.4, n)) for centre in centres_ms]


def with_histograms(blocks: list[Histogram]) -> LoadDocument:
    """A run whose ok responses are these; some requests were refused in a millisecond."""
    ok = merged(blocks)
    everything = merged([ok, of_ms([1.0] * (ok.n // 10))])
    parts = [
        LatencyBlock(
            from_s=index, to_s=index + 1, completed=one.n, ok=one.n, throttled=0, failed=0,
            ok_response=encoded(one),
        )
        for index, one in enumerate(blocks)
    ]  # fmt: skip
    histograms = RunHistograms(
        response=encoded(everything), service=encoded(ok), ok_response=encoded(ok), blocks=parts
    )
    return load_documents.five_causes().model_copy(update={"histograms": histograms})


@pytest.mark.parametrize(
    ("quantile", "name"),
    [(0.0, "0"), (0.25, "25"), (0.5, "50"), (0.985, "98.5"), (0.999, "99.9"), (0.99975, "99.975"),
     (0.99999, "99.999"), (1 - 1 / 2345, "99.957")],
)  # fmt: skip
def test_a_quantile_has_the_name_that_people_give_it(quantile, name):
    assert percentile_name(quantile) == name


@given(st.integers(2, 10_000_000))
def test_each_quantile_of_a_spectrum_has_a_name_of_its_own(n):
    names = [percentile_name(q) for q in spectrum_shares(n)]
    assert "100" not in names
    assert [float(name) for name in names] == sorted(float(name) for name in names)
    # The last one is that of the slowest request, which may stand beside a round one.
    assert len(set(names[:-1])) == len(names) - 1


def test_the_axis_is_that_of_rarity_and_rows_stand_on_it():
    spectrum = Spectrum("response time", FIVE, LOOK)
    drawing = drawn(spectrum)
    kind, low, high = re.search(r'data-x="(\w+) (\S+) (\S+)"', drawing).groups()
    assert kind == "log"
    assert float(low) < rarity(0.5) < rarity(0.999) < float(high)
    rows = spectrum_data([spectrum]).rows
    assert [row.x for row in rows] == [rarity(q) for q, _ in FIVE]
    assert [row.cells[0] for row in rows] == ["50", "90", "95", "99", "99.9"]
    assert '<g class="stretch"><g data-series="1"><polyline' in drawing
    assert len(re.findall(r'<g data-at="[\d.]+" data-series="1"><title>', drawing)) == 5


def test_rows_are_those_of_all_lines_and_what_one_lacks_is_a_dash():
    data = spectrum_data(
        [Spectrum("a", FIVE, LOOK), Spectrum("b", [(0.5, 1.0), (0.75, 2.0)], LOOK)]
    )
    assert [tuple(row.cells) for row in data.rows][:3] == [
        ("50", "20.00", "1.00"), ("75", "\N{EN DASH}", "2.00"), ("90", "40.00", "\N{EN DASH}"),
    ]  # fmt: skip


def test_a_band_stands_behind_its_value_and_never_falls():
    band = [(0.5, 18.0, 22.0), (0.9, 36.0, 50.0), (0.95, 35.0, 48.0)]
    spectrum = Spectrum("a", FIVE, LOOK, band)
    assert spectrum.tight_band == [(0.5, 18.0, 22.0), (0.9, 36.0, 48.0), (0.95, 36.0, 48.0)]
    cells = [row.cells[1].replace(SPACE, " ") for row in spectrum_data([spectrum]).rows]
    assert cells[1] == "40.0 (36.0 to 48.0)"
    assert cells[3] == "90.0"
    assert "<polygon" in drawn(spectrum).split("c-band")[0]


def test_the_quick_half_alone_makes_no_axis_logarithmic():
    quick = [(0.0, 0.5), (0.2, 1.0), *FIVE]
    assert 'data-y="linear 0 ' in drawn(Spectrum("a", quick, LOOK))
    slow = [*FIVE[:-1], (0.999, 900.0)]
    assert 'data-y="log ' in drawn(Spectrum("a", slow, LOOK))


def test_a_limit_is_a_lid_with_its_name_inside_the_plot():
    drawing = drawn(Spectrum("a", FIVE, LOOK), targets=(Target(0.95, 100.0, "p95 < 100 ms"),))
    assert "<title>limit: p95 &lt; 100 ms</title>" in drawing
    assert ">p95 &lt; 100 ms</text>" in drawing
    beyond = drawn(Spectrum("a", FIVE, LOOK), targets=(Target(0.9999, 100.0, "p99.99"),))
    assert "p99.99" not in beyond


def test_names_from_outside_stay_text():
    figure = spectrum_figure(
        [Spectrum("</script><b>", FIVE, LOOK)], "a", title="t", finding="f", help_text="h"
    )
    assert "<b>" not in figure.drawings[0]
    assert figure.name == "spectrum"


def test_histograms_give_the_whole_spectrum_with_a_band():
    figure = percentile_figure(with_histograms(blocks_of([40.0] * 8)), "a")
    assert figure is not None
    assert figure.data is not None
    assert 35 < len(figure.data.rows) < 60
    assert [column.name for column in figure.data.columns][1:] == [
        "response time, all", "service time", "response time, ok only",
    ]  # fmt: skip
    (median,) = [row for row in figure.data.rows if row.cells[0] == "50"]
    value, low, high = map(float, re.findall(r"[\d.]+", median.cells[3]))
    assert low <= value <= high
    assert 38 < value < 42
    assert "Shaded: where the whole line of ok requests lies" in figure.help


def test_blocks_that_differ_leave_no_band_and_that_is_said():
    figure = percentile_figure(with_histograms(blocks_of([1.0, 200.0], 40)), "a")
    assert figure is not None
    assert "no band of 95 % holds the line" in figure.help
    assert "c-band" not in figure.drawings[0]


def test_a_document_of_an_older_version_has_its_five_points_and_its_limits():
    document = load_documents.five_causes()
    figure = percentile_figure(document, "a")
    assert figure is not None
    assert figure.data is not None
    assert len(figure.data.rows) == 5
    assert "Shaded" not in figure.help
    limit = document.thresholds[0].model_copy(
        update={"that": "p95(response) < 300ms", "limit": 300.0}
    )
    of_a_step = limit.model_copy(update={"scope": "step a", "limit": 77.0})
    limited = document.model_copy(update={"thresholds": [limit, of_a_step, limit]})
    shown = percentile_figure(limited, "a")
    assert shown is not None
    assert shown.drawings[0].count("<title>limit:") == 1
    assert "Brackets are thresholds" in shown.help


def test_without_a_completed_request_there_is_no_spectrum():
    nothing = {"response_ms": None, "service_ms": None, "ok_response_ms": None}
    assert percentile_figure(load_documents.five_causes().model_copy(update=nothing), "a") is None
