"""One chart as an SVG of its own, for a slide, an issue or a mail: title, drawing, what it says.

It needs no page around it: fonts, ground and colours are attributes, and nothing of a page (ids of
others, classes, hooks for scripts) is left. Text stays text, so that it can be searched and edited.
"""

from __future__ import annotations

import re
from textwrap import wrap
from xml.etree import ElementTree  # reads what `reports.svg` drew, and nothing else

from reports import svg
from reports.figure import Figure
from reports.palette import dark_of_light

_NAMESPACE = "http://www.w3.org/2000/svg"
FONTS = (
    "'Segoe UI', 'Helvetica Neue', Helvetica, Arial, 'Noto Sans', 'Liberation Sans', Roboto, "
    "Ubuntu, 'Open Sans', 'DejaVu Sans', sans-serif"
)
_TITLE_PX, _LINE_PX, _MARGIN_PX = 17.0, 16.0, 20.0
# What the style sheet of a page makes bold.
_BOLD = {"c-label", "c-phase-name"}
_OF_A_PAGE = ("class", "role", "aria-labelledby", "aria-describedby", "display")
_XML_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def standalone_svg(figure: Figure, width_px: int | None = None, *, dark: bool = False) -> str:
    """The widest drawing of a figure with its title and its finding, as a whole SVG file.

    `width_px` is how wide it is shown; None is as wide as it was drawn.
    """
    drawing = ElementTree.fromstring(  # noqa: S314 - our own drawing
        _XML_FORBIDDEN.sub("", figure.drawings[0])
    )
    finding = _text_of(drawing, "desc")
    plot_width, plot_height = (float(size) for size in drawing.attrib["viewBox"].split()[2:])
    width = plot_width + 2 * _MARGIN_PX
    words = _words(figure.title, finding, plot_width)
    top = _MARGIN_PX + sum(height for height, _ in words) + 10
    height = top + plot_height + _MARGIN_PX
    root = _root(width, height, width_px)
    ElementTree.SubElement(root, "title").text = figure.title
    ElementTree.SubElement(root, "desc").text = finding
    ground = {"width": svg.number(width), "height": svg.number(height), "fill": svg.GROUND}
    ElementTree.SubElement(root, "rect", ground)
    _write(root, words)
    place = f"translate({svg.number(_MARGIN_PX)} {svg.number(top)})"
    plot = ElementTree.SubElement(root, "g", {"transform": place})
    plot.extend(child for child in drawing if child.tag not in ("title", "desc"))
    _make_plain(root)
    if dark:
        _darken(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def finding_of(figure: Figure) -> str:
    """The sentence that says what a figure shows."""
    if not figure.drawings:
        return figure.help
    drawing = ElementTree.fromstring(  # noqa: S314 - our own drawing
        _XML_FORBIDDEN.sub("", figure.drawings[0])
    )
    return _text_of(drawing, "desc") or figure.help


def _text_of(drawing: ElementTree.Element, tag: str) -> str:
    found = drawing.find(tag)
    return "" if found is None else found.text or ""


def _root(width: float, height: float, width_px: int | None) -> ElementTree.Element:
    shown = width if width_px is None else float(width_px)
    return ElementTree.Element(
        "svg",
        {
            "xmlns": _NAMESPACE,
            "viewBox": f"0 0 {svg.number(width)} {svg.number(height)}",
            "width": svg.number(shown),
            "height": svg.number(shown * height / width),
            "font-family": FONTS,
            "font-size": svg.number(svg.FONT_PX),
        },
    )


def _words(title: str, finding: str, width: float) -> list[tuple[float, dict[str, str]]]:
    """Title and finding as lines that fit: the height of each and its attributes."""
    lines = []
    for line in _folded(title, width, _TITLE_PX):
        look = {"fill": svg.INK, "font-size": svg.number(_TITLE_PX), "font-weight": "600"}
        lines.append((_TITLE_PX + 6, {"text": line, **look}))
    for line in _folded(finding, width, svg.FONT_PX + 1):
        look = {"fill": svg.MUTED, "font-size": svg.number(svg.FONT_PX + 1)}
        lines.append((_LINE_PX + 1, {"text": line, **look}))
    return lines


def _folded(text: str, width: float, font_px: float) -> list[str]:
    return wrap(text, max(20, int(width / svg.text_width("n", font_px))))


def _write(root: ElementTree.Element, lines: list[tuple[float, dict[str, str]]]) -> None:
    y = _MARGIN_PX
    for height, attributes in lines:
        y += height
        look = {name: value for name, value in attributes.items() if name != "text"}
        place = {"x": svg.number(_MARGIN_PX + 2), "y": svg.number(y - 5)}
        ElementTree.SubElement(root, "text", {**place, **look}).text = attributes["text"]


def _make_plain(root: ElementTree.Element) -> None:
    """Takes away what only a page can use; what a page makes bold stays bold."""
    for element in root.iter():
        if _BOLD & set(element.get("class", "").split()):
            element.set("font-weight", "600")
        for name in [*_OF_A_PAGE, *(key for key in element.attrib if key.startswith("data-"))]:
            element.attrib.pop(name, None)


def _darken(root: ElementTree.Element) -> None:
    """Exchanges each colour for its pair on a dark ground."""
    pairs = dark_of_light()
    for element in root.iter():
        for name in ("fill", "stroke"):
            colour = element.get(name)
            if colour in pairs:
                element.set(name, pairs[colour])
