"""The page: one file, the same bytes each time, safe with hostile texts, whole with absent data."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path

import pytest

from reports.document import Model, TuneDocument
from reports.figures import SPACE
from reports.page import render_page
from tests.reports import adaptive_documents as adaptive
from tests.reports import documents
from tests.reports.pages import Page, svgs

GOLDEN = Path(__file__).parent / "golden"
EVERY_DOCUMENT = [*documents.all_documents(), *adaptive.all_adaptive()]


def chart(html: str, title: str):
    """The wide drawing with this title."""
    return next(drawing for drawing in svgs(html) if drawing[0].text == title)


def drawing_words(drawing) -> list[str]:
    return [(text.text or "").replace(SPACE, " ") for text in drawing.iter("text")]


COST, DURATION = (
    "Cost per million invocations against memory",
    "Duration of a warm invocation against memory",
)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("tune_page", [documents.cpu_bound(), documents.interrupted()]),
        ("adaptive_page", [adaptive.whole(), adaptive.many_tied()]),
    ],
)
def test_the_page_is_the_golden_one(name, shown):
    html = render_page(shown)
    golden = GOLDEN / f"{name}.html"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        golden.write_text(html, encoding="utf-8")
    assert html == golden.read_text(encoding="utf-8"), "UPDATE_GOLDEN=1 accepts the new page"


def test_a_size_that_fails_now_and_then_is_marked_although_it_has_a_point():
    before = documents.cpu_bound()
    cheapest = before.sizes[0].model_copy(update={"failure": "out of memory (1 of 9 calls)"})
    flaky = before.model_copy(update={"sizes": [cheapest, *before.sizes[1:]]})

    words = Page(render_page([flaky])).words()

    assert f"{cheapest.memory_mb:,} MB: no usable result, see the table" in words
    assert "failed: out of memory (1 of 9 calls)" in words
    assert "no usable result" not in Page(render_page([before])).words()


@pytest.mark.parametrize("document", EVERY_DOCUMENT, ids=lambda d: d.function.name)
def test_every_document_renders_to_matching_tags_and_drawings(document):
    html = render_page([document])
    Page(html)
    assert not re.search(r"\bNone\b|\bnan\b|\binf\b|Undefined", Page(html).words())
    for drawing in svgs(html):
        assert drawing.attrib["role"] == "img"
        title, description = drawing[0], drawing[1]
        assert (title.tag, description.tag) == ("title", "desc")
        assert title.attrib["id"] == drawing.attrib["aria-labelledby"]
        assert description.attrib["id"] == drawing.attrib["aria-describedby"]
        assert description.text


def without(document: TuneDocument, **changes: object) -> TuneDocument:
    return document.model_copy(update=changes)


def optional_size_fields() -> list[str]:
    return [
        "duration_ms",
        "duration_typical_ms",
        "duration_interval_ms",
        "cold_p50_ms",
        "init_p50_ms",
        "billed_typical_ms",
        "cost_usd_per_million",
        "cost_interval",
        "max_memory_used_mb",
    ]


@pytest.mark.parametrize("field", optional_size_fields())
def test_a_value_that_is_absent_everywhere_breaks_nothing(field):
    whole = documents.cpu_bound()
    sizes = [size.model_copy(update={field: None}) for size in whole.sizes]
    assert "None" not in Page(render_page([without(whole, sizes=sizes)])).words()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": None}, "No curve was fitted"),
        ({"recommendation": None}, "No size is recommended"),
        ({"sizes": []}, "No chart: no size has a cost"),
    ],
    ids=["no model", "no recommendation", "no sizes"],
)
def test_what_is_missing_is_named(changes, said):
    assert said in Page(render_page([without(documents.cpu_bound(), **changes)])).words()


def test_an_empty_curve_and_unscored_families_break_nothing():
    model = Model(
        family="constant",
        formula="t(m) = a",
        parameters={},
        loo_error=None,
        candidates=[],
        duration_family="constant",
        curve=[],
    )
    words = Page(render_page([without(documents.cpu_bound(), model=model)])).words()
    assert "t(m) = a" in words


def test_prices_without_storage_say_so():
    whole = documents.cpu_bound()
    prices = whole.prices.model_copy(update={"storage_gb_second_usd": None})
    assert "storage above 512 MB is not in the costs" in render_page(
        [without(whole, prices=prices)]
    )


def test_zero_durations_and_costs_are_drawn():
    zero = documents.size_result(512, lambda _: 0.0)
    html = render_page([documents.document([zero])])
    assert {chart(html, title).attrib["data-plot"] for title in (COST, DURATION)}


def test_hostile_texts_stay_text():
    html = render_page([documents.hostile(), documents.hostile(), adaptive.hostile_parts()])
    page = Page(html)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"b", "iframe", "object", "embed", "form", "img"}
    assert [tag for tag, _ in page.tags].count("script") == html.count("<script>") == 1
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert html.count("<style>") == html.count("</style>") == 1
    assert page.words().count(documents.HOSTILE) > 10
    assert "{{ 7*7 }}" in page.words()


def test_the_policy_allows_no_source():
    [policy] = [
        attrs["content"]
        for _, attrs in Page(render_page([documents.bare()])).tags
        if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none';")
    assert re.search(r"script-src 'sha256-[^']+'(;|$)", policy)
    assert "http" not in policy


def test_the_small_print_links_to_the_chart_of_power_tuning():
    link = "https://lambda-power-tuning.show/#gAA=;AACAPw==;AACA/w=="
    page = Page(render_page([without(documents.cpu_bound(), visualization_url=link)]))
    [anchor] = [attrs for tag, attrs in page.tags if tag == "a"]

    assert anchor == {"href": link, "rel": "noopener noreferrer"}
    assert "lambda-power-tuning.show" not in Page(render_page([documents.cpu_bound()])).text


def test_ids_are_unique_and_described_ones_exist():
    twice = [documents.cpu_bound(), documents.cpu_bound(), adaptive.whole(), adaptive.whole()]
    tags = Page(render_page(twice)).tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    named = {a[n] for _, a in tags for n in ("aria-labelledby", "aria-describedby") if n in a}
    assert named <= set(ids)


def test_several_documents_get_a_summary_that_links_to_each():
    page = Page(render_page([documents.waiting(), documents.inconclusive()]))
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert set(links) == {"#run-1", "#run-2"}
    alone = Page(render_page([documents.waiting()]))
    assert not [tag for tag, _ in alone.tags if tag == "a"]


def test_figures_of_the_sandbox_are_called_a_model():
    words = Page(render_page([documents.local()])).words()
    said = "These figures come from the CPU model of the local sandbox, not from AWS."
    assert words.index(said) < words.index("Keep 512")
    assert said not in Page(render_page([documents.cpu_bound()])).words()


def test_sizes_stand_where_they_belong_on_the_memory_axis():
    drawing = chart(render_page([documents.waiting()]), COST)
    xs = [float(circle.attrib["cx"]) for circle in drawing.iter("circle")][:5]
    steps = [after - before for before, after in pairwise(xs)]
    assert steps == pytest.approx([steps[0]] * 4, abs=0.2)


def test_costs_begin_at_zero_and_wide_durations_say_that_they_are_logarithmic():
    html = render_page([documents.cpu_bound()])
    cost, duration = chart(html, COST), chart(html, DURATION)
    assert "0" in [text.text for text in cost.iter("text")]
    assert "typical duration, ms (log scale)" in [text.text for text in duration.iter("text")]
    html = render_page([documents.waiting()])
    assert "typical duration, ms (log scale)" not in html


def test_one_wide_interval_does_not_press_the_others_to_the_ground():
    wide = documents.size_result(512, documents.flat).model_copy(
        update={"duration_interval_ms": (60.0, 4000.0)}
    )
    others = [documents.size_result(size, documents.flat) for size in (256, 1024)]
    words = Page(render_page([documents.document([*others, wide])])).words()
    assert "typical duration, ms (log scale)" in words


def test_a_curve_without_a_band_promises_none():
    document = documents.cpu_bound()
    assert document.model is not None
    bare = [
        point.model_copy(update={"duration_band_ms": None, "cost_band_usd_per_million": None})
        for point in document.model.curve
    ]
    sizes = [
        size.model_copy(update={"cost_interval": None, "duration_interval_ms": None})
        for size in document.sizes
    ]
    model = document.model.model_copy(update={"curve": bare})
    page = render_page([document.model_copy(update={"model": model, "sizes": sizes})])
    cost = chart(page, COST)
    legend = [text.text for text in cost.iter("text")]
    assert "fitted curve" in legend
    assert "measured" in legend
    assert "c-band" not in page.split("<svg", 1)[1]


@pytest.mark.parametrize(
    ("document", "cell"),
    [
        (documents.inconclusive(), "1,024 MB, no recommendation"),
        (documents.interrupted(), "512 MB, no recommendation"),
        (documents.local(), "512 MB, stays"),
        (documents.with_failures(), "512 MB → 1,024 MB"),
        (adaptive.slo_infeasible(), "1,536 MB, no size keeps p95 < 200 ms"),
    ],
    ids=["inconclusive", "interrupted", "stays", "a change", "infeasible"],
)
def test_the_overview_proposes_only_what_the_headline_does(document, cell):
    words = Page(render_page([document, documents.cpu_bound()])).words()
    assert cell in words.replace(SPACE, " ")


def test_calls_without_a_report_are_among_those_counted():
    words = Page(render_page([documents.interrupted()])).words()
    assert "6 invocations" in words.replace(SPACE, " ")
    assert "2 of them had no REPORT line" in words


def test_a_page_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one document"):
        render_page([])


def test_a_document_of_an_older_version_has_the_page_that_it_had():
    """Documents from before adaptive plans lack all that came with them."""
    whole = documents.cpu_bound()
    old = whole.model_dump(mode="json")
    for name in ("budget", "slo", "cold", "monthly", "arch", "raw_files"):
        del old[name]
    del old["provenance"]["plan"], old["provenance"]["git_commit"], old["model"]["unseen"]
    for name in (
        "cost_usd_per_million",
        "cost_interval",
        "duration_ms",
        "duration_interval_ms",
        "regret_share",
        "regret_bound_share",
        "knee_share",
    ):
        del old["recommendation"][name]
    for size in old["sizes"]:
        del size["slo"], size["cold_billed_typical_ms"]
    assert render_page([TuneDocument.model_validate(old)]) == render_page([whole])


def test_the_axis_of_an_adaptive_run_has_round_sizes_where_nothing_was_invoked():
    cost = chart(render_page([adaptive.many_tied()]), COST)
    labels = {text.text for text in cost.iter("text")}
    assert {"128", "256", "512", "1,024"} <= labels
    assert "expected at every candidate, 90 % band" in labels
    assert "recommended 1,024\N{NO-BREAK SPACE}MB" in labels


def test_what_a_chart_says_of_a_size_that_was_not_invoked_is_from_the_curve():
    words = Page(render_page([adaptive.many_tied()])).words().replace(SPACE, " ")
    assert "Current size: 1,536 MB, about $7.25 by the curve." in words
    assert "Current size: 1,536 MB, about 282 ms by the curve." in words


def test_both_architectures_are_drawn_with_their_front():
    drawing = chart(render_page([adaptive.whole()]), "Cost against duration, x86_64 and arm64")
    assert "On the Pareto front, from fast to cheap: x86_64 1,769" in drawing[1].text
    marks = [m.attrib["class"] for tag in ("circle", "polygon") for m in drawing.iter(tag)]
    assert marks.count("c-data c-fill") == 4 + 1
    assert marks.count("c-second c-fill") == 4 + 1
    assert len(list(drawing.iter("polyline"))) == 1 + 1
    best = [text.text for text in drawing.iter("text") if (text.text or "").startswith("best: ")]
    assert best == ["best: arm64, 512\N{NO-BREAK SPACE}MB"]
    assert "recommended: x86_64, 1,408 MB" in drawing_words(drawing)


@pytest.mark.parametrize("count", [1, 2])
def test_a_comparison_of_hardly_anything_is_drawn(count):
    compared = adaptive.arch_comparison()
    few = compared.model_copy(update={"sizes": compared.sizes[:count]})
    html = render_page([without(adaptive.many_tied(), arch=few)])
    assert chart(html, "Cost against duration, x86_64 and arm64")[1].text


def test_a_figure_of_today_that_was_not_measured_is_called_an_estimate():
    words = Page(render_page([adaptive.many_tied()])).words().replace(SPACE, " ")
    change = "11 % less (6.0 to 17 %); 90 % interval $6.66 to $7.28; today's is estimated"
    assert f"$7.25 → $6.94 {change}" in words
    assert "Cannot be told apartfrom 256 to 1,664 MB" in words
