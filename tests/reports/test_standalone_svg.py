"""One chart as a file of its own: whole, plain, light and dark, and as PNG."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from core.errors import InputError
from reports import png
from reports.palette import dark_of_light, palettes
from reports.png import check_png, png_bytes
from reports.run_charts import chart_named, charts_of, main_charts
from reports.standalone_svg import finding_of, standalone_svg
from tests.reports import adaptive_documents, documents, load_documents, waterfall_documents

SVG = "{http://www.w3.org/2000/svg}"
TUNING = charts_of(documents.cpu_bound())
LOAD = charts_of(load_documents.failed())
EVERY = [
    figure
    for document in (
        documents.cpu_bound(),
        adaptive_documents.whole(),
        load_documents.failed(),
        load_documents.three_hours(),
        load_documents.hostile(),
        waterfall_documents.from_logs(),
    )
    for figure in charts_of(document)
]


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - our own drawing


def colours(text: str) -> set[str]:
    return set(re.findall(r"#[0-9a-f]{6}", text))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_chart_is_a_whole_file_with_nothing_of_a_page(dark):
    for figure in EVERY:
        text = standalone_svg(figure, dark=dark)
        root = parsed(text)
        assert root.tag == f"{SVG}svg"
        assert root.find(f"{SVG}title").text == figure.title
        width, height = (float(root.attrib[name]) for name in ("width", "height"))
        assert root.attrib["viewBox"] == f"0 0 {width:g} {height:g}"
        assert not re.search(r' (class|role|display|aria-\w+|data-\w+)="', text)
        ids = {one.attrib["id"] for one in root.iter() if "id" in one.attrib}
        assert set(re.findall(r"url\(#([^)]+)\)", text)) <= ids


def test_title_and_finding_are_text_that_can_be_searched():
    figure = chart_named(TUNING, "cost")
    words = " ".join(one.text or "" for one in parsed(standalone_svg(figure)).iter(f"{SVG}text"))
    assert figure.title in words
    assert finding_of(figure).replace("\N{NO-BREAK SPACE}", " ")[:40] in words.replace(
        "\N{NO-BREAK SPACE}", " "
    )


def test_every_colour_has_a_pair_for_a_dark_ground():
    light, dark = palettes()
    assert set(light) == set(dark)
    assert len(set(light.values())) == len(light), "one light colour would have two dark ones"
    for figure in EVERY:
        assert colours(standalone_svg(figure)) <= set(dark_of_light())
        assert colours(standalone_svg(figure, dark=True)) <= set(dark.values())


def test_the_width_is_that_which_was_asked_for():
    root = parsed(standalone_svg(chart_named(TUNING, "cost"), 1200))
    ratio = [float(part) for part in root.attrib["viewBox"].split()[2:]]
    assert float(root.attrib["width"]) == 1200
    assert float(root.attrib["height"]) == pytest.approx(1200 * ratio[1] / ratio[0], abs=0.1)


def test_a_png_is_as_wide_as_asked_for():
    pytest.importorskip("resvg_py")
    try:
        check_png("-o x.png")
    except InputError:
        pytest.skip("no font on this machine")
    data = png_bytes(standalone_svg(chart_named(TUNING, "cost")), 300)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(data[16:20], "big") == 300


def test_without_resvg_png_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setattr(png, "find_spec", lambda name: None)
    with pytest.raises(
        InputError, match=r"needs resvg-py.*\(pip install resvg-py, or write .svg\)"
    ):
        check_png("-o x.png")


def test_without_a_font_png_is_refused_because_texts_would_be_missing(monkeypatch):
    class Renderer:
        @staticmethod
        def svg_to_bytes(svg_string: str) -> bytes:
            return b"blank"

    monkeypatch.setattr(png, "find_spec", lambda name: object())
    monkeypatch.setattr(png, "import_module", lambda name: Renderer)
    with pytest.raises(InputError, match="none of the usual fonts"):
        check_png("-o x.png")


@pytest.mark.parametrize(
    ("name", "said"),
    [("latencey", "did you mean latency?"), ("pareto", "expected one of rate, latency")],
)
def test_a_wrong_name_is_told_with_those_that_there_are(name, said):
    with pytest.raises(InputError, match=re.escape(said)):
        chart_named(LOAD, name)


def test_names_of_a_run_are_unique_and_the_main_charts_among_them():
    for document in (documents.cpu_bound(), load_documents.failed()):
        names = [figure.name for figure in charts_of(document)]
        assert len(set(names)) == len(names)
        assert {figure.name for figure in main_charts(document)} <= set(names)
    assert [figure.name for figure in main_charts(load_documents.failed())] == [
        "rate", "latency", "spectrum",
    ]  # fmt: skip
