"""Where scripts may not run, or not even styles, a page says all that it has to say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.reports.browser.colours import colours_of
from tests.reports.browser.opened import Opened

# What Jenkins sends with the files of a build: no script, and no style that a page brings along.
JENKINS = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self'"
# Everything that a reader without scripts can see of the drawings.
DRAWN = """() => [...document.querySelectorAll("figure")].map(figure => {
  const drawings = [...figure.querySelectorAll("svg")];
  const shown = drawings.filter(svg => svg.checkVisibility());
  const texts = shown.flatMap(svg => [...svg.querySelectorAll("text")]);
  return {
    drawings: drawings.length, shown: shown.length,
    texts: texts.filter(text => text.getBoundingClientRect().width > 0).length,
    paints: new Set(shown.flatMap(svg => [...svg.querySelectorAll("*")]).flatMap(node => {
      const style = getComputedStyle(node);
      return [style.stroke, style.fill].filter(paint => paint.startsWith("rgb"));
    })).size,
    title: figure.querySelector(".part")?.textContent,
  };
})"""


class _Served(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", JENKINS)
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """The log would stand between the results of the tests."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder that a server shows on the loopback address, with Jenkins' policy."""
    folder = tmp_path_factory.mktemp("served")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Served, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def check_drawings(opened: Opened) -> None:
    figures = [figure for figure in opened.run(DRAWN) if figure["drawings"]]
    assert figures
    for figure in figures:
        # One of the drawings for several widths.
        assert figure["shown"] == 1, figure
        assert figure["texts"] >= 4, figure
        assert figure["paints"] >= 3, figure


def test_a_page_is_whole_without_scripts(open_page):
    opened = open_page("story", java_script_enabled=False)
    page = opened.page
    # Playwright asks the page from outside of it, with scripts of the page turned off.
    assert page.locator(".tools, .tip, .filter, button, input, .scan").count() == 0
    assert page.locator("[role=button], [role=slider]").count() == 0
    for width in (1200, 360):
        page.set_viewport_size({"width": width, "height": 900})
        check_drawings(opened)
    # Data tables open without a script.
    summary = page.locator("details.data > summary").first
    summary.click()
    assert page.locator("details.data table").first.is_visible()


def test_a_page_is_readable_as_jenkins_shows_it(
    browser, stories: Callable[[str], Path], served: tuple[Path, str]
):
    folder, address = served
    (folder / "report.html").write_bytes(stories("story").read_bytes())
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    opened = Opened(context.new_page())
    opened.go(f"{address}/report.html")
    # The style sheet is refused, which is what this test is about.
    assert opened.page.locator(".chart").first.evaluate("one => getComputedStyle(one).fontFamily")
    assert opened.run("() => getComputedStyle(document.querySelector('main')).maxWidth") == "none"
    assert opened.page.locator(".tools, .tip, button").count() == 0
    check_drawings(opened)
    for figure in opened.page.locator("figure:has(svg)").all()[:4]:
        assert colours_of(context, figure.locator("svg:visible").screenshot()) >= 5
    context.close()
