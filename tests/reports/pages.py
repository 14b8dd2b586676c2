"""A rendered page as tests read it: elements, text and drawings."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

from reports.figures import SPACE

VOID = {"meta", "link", "br"}


class Page(HTMLParser):
    """Elements, attributes, table rows and text of a page; fails on tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(html)
        self.close()
        assert self.open == []
        self.text = "".join(self.texts)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)
        if "tr" in self.open:
            self.rows[-1][-1] += data.replace(SPACE, " ")

    def words(self) -> str:
        return " ".join(self.text.split())


def svgs(html: str) -> list[ElementTree.Element]:
    drawn = re.findall(r"<svg .*?</svg>", html, re.DOTALL)
    return [ElementTree.fromstring(text) for text in drawn]  # noqa: S314 - our own page
