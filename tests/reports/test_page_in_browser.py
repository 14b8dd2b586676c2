"""The page in a real browser: nothing is refused, nothing overlaps, nothing hangs out."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from itertools import combinations

import pytest

from reports.page import render_page
from tests.reports import adaptive_documents, documents, load_documents, waterfall_documents

CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path")

# Measures the page in frames of several widths, from outside: its policy allows no script inside.
PROBE = """<!doctype html><body><script>
const widths = [360, 800, 1200], seen = {};
widths.forEach(width => {
  const frame = document.createElement("iframe");
  frame.style = `border:0;height:600px;width:${width}px`;
  frame.onload = () => {
    const page = frame.contentDocument;
    const drawings = [...page.querySelectorAll("svg")].filter(s => s.getBoundingClientRect().width);
    seen[width] = {
      overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
      drawings: drawings.map(svg => {
        const box = svg.getBoundingClientRect();
        const texts = [...svg.querySelectorAll("text")].map(text => {
          const b = text.getBoundingClientRect();
          return [text.textContent, b.left, b.top, b.right, b.bottom];
        });
        return {left: box.left, right: box.right, texts};
      }),
    };
    if (Object.keys(seen).length === widths.length) {
      const result = document.createElement("pre");
      result.textContent = JSON.stringify(seen);
      document.body.replaceChildren(result);
    }
  };
  frame.src = "page.html";
  document.body.append(frame);
});
</script></body>"""


def chromium(folder, *arguments: str) -> subprocess.CompletedProcess[str]:
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    ran = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            *quiet,
            f"--user-data-dir={folder / 'profile'}",
            "--enable-logging=stderr",
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran


def console_lines(ran: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in ran.stderr.splitlines() if "CONSOLE" in line]


def screenshot(folder, name: str, html: str) -> tuple[int, list[str]]:
    """The size of a screenshot in bytes, and what the browser's console said."""
    (folder / f"{name}.html").write_text(html, encoding="utf-8")
    target = folder / f"{name}.png"
    url = (folder / f"{name}.html").as_uri()
    ran = chromium(folder, f"--screenshot={target}", "--window-size=1200,1400", url)
    return target.stat().st_size, console_lines(ran)


def everything():
    """Tunings and load runs of every kind."""
    return [
        *documents.all_documents(),
        *adaptive_documents.all_adaptive(),
        *load_documents.all_documents(),
        *waterfall_documents.all_documents(),
    ]


def test_the_page_is_painted_without_a_word_on_the_console(tmp_path):
    blank, complaints = screenshot(
        tmp_path,
        "blank",
        "<!doctype html><meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">"
        '<link rel="icon" href="data:,"><script>1</script>',
    )
    # The refused script shows that this test would see a complaint.
    assert complaints
    size, said = screenshot(tmp_path, "page", render_page(everything()))
    assert said == []
    assert size > 10 * blank


def test_nothing_overlaps_or_hangs_out_at_any_width(tmp_path):
    html = render_page(everything())
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    (tmp_path / "probe.html").write_text(PROBE, encoding="utf-8")
    ran = chromium(
        tmp_path,
        "--allow-file-access-from-files",
        "--virtual-time-budget=10000",
        "--dump-dom",
        (tmp_path / "probe.html").as_uri(),
    )
    found = re.search(r"<pre>(.*)</pre>", ran.stdout, re.DOTALL)
    assert found, ran.stdout[-500:]
    seen = json.loads(unescape(found.group(1)))
    assert sorted(seen) == ["1200", "360", "800"]
    # Each figure is drawn for several widths, and one of them is shown.
    drawn = sum("<svg " in figure for figure in html.split("<figure>")[1:])
    for width, measured in seen.items():
        assert measured["overflow"] <= 0, width
        assert len(measured["drawings"]) == drawn, width
        for drawing in measured["drawings"]:
            check_texts(drawing, width)


def check_texts(drawing, width) -> None:
    for text, left, _, right, _ in drawing["texts"]:
        assert drawing["left"] - 1 <= left, (width, text)
        assert right <= drawing["right"] + 1, (width, text)
    for one, other in combinations(drawing["texts"], 2):
        beside = one[3] <= other[1] or other[3] <= one[1]
        # Line boxes are taller than letters: boxes may share a few pixels.
        apart = min(one[4], other[4]) - max(one[2], other[2]) <= 4
        assert beside or apart, (width, one[0], other[0])
