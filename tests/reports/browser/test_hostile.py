"""Names, messages and payloads from outside stay text, whatever they look like."""

from __future__ import annotations

import pytest

from reports.page import render_page
from tests.reports import adaptive_documents, documents, load_documents

HOSTILE = [
    pytest.param("</script><b>x</b>", id="end of script"),
    pytest.param('" onload="alert(1)" x="', id="attribute"),
    pytest.param("]]></svg><img src=x onerror=alert(1)>", id="end of data"),
    pytest.param("<!-- <script>alert(1)</script>", id="comment"),
    pytest.param("\u202egnp.exe\u2066 \x07\x1b[31m\x7f\ufffe", id="control characters"),
    pytest.param("{{ 7*7 }}{% raw %}${alert(1)}", id="template"),
]
# Elements and attributes that the page itself never has.
FOREIGN = """() => ({
  elements: [...document.querySelectorAll("b, img, iframe, object, embed, form, base, svg script")]
    .map(node => node.outerHTML.slice(0, 100)),
  scripts: document.scripts.length,
  handlers: [...document.querySelectorAll("*")].flatMap(node => [...node.attributes])
    .filter(attribute => attribute.name.startsWith("on")).map(attribute => attribute.name),
  links: [...document.querySelectorAll("a[href], [*|href]")]
    .map(node => node.getAttribute("href") ?? node.getAttribute("xlink:href"))
    .filter(href => href && !/^(#|https:|data:,$)/.test(href)),
})"""


def test_markup_in_every_field_stays_text(open_page):
    opened = open_page("hostile")
    found = opened.run(FOREIGN)
    assert found == {"elements": [], "scripts": 1, "handlers": [], "links": []}
    assert documents.HOSTILE in opened.run("() => document.body.textContent")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text(open_page, name, tmp_path, monkeypatch):
    for module in (documents, adaptive_documents, load_documents):
        if hasattr(module, "HOSTILE"):
            monkeypatch.setattr(module, "HOSTILE", name)
    path = tmp_path / "hostile.html"
    html = render_page([documents.hostile(), load_documents.hostile()])
    path.write_text(html, encoding="utf-8")
    opened = open_page(path)
    found = opened.run(FOREIGN)
    assert found == {"elements": [], "scripts": 1, "handlers": [], "links": []}
    seen = opened.run("() => document.body.textContent")
    assert name.split("\x07")[0] in seen


def test_a_hostile_name_stays_text_under_the_pointer(open_page):
    """Values and names under the pointer are put in by the script."""
    from tests.reports.browser.charts import charts_of

    opened = open_page("hostile")
    for chart in charts_of(opened):
        chart.point(chart.row_share(0))
        assert chart.tip() is not None, chart.words
        chart.find("rect.scan:visible").focus()
        opened.page.keyboard.press("ArrowRight")
    assert opened.run(FOREIGN)["elements"] == []
