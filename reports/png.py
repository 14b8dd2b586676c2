"""SVG as PNG, by resvg: it takes 3 MB, needs no browser, and is an extra of the package."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from core.errors import InputError
from reports.standalone_svg import FONTS

_BLANK = f'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20" font-family="{FONTS}">'
_LETTERS = '<text x="2" y="16" font-size="16">HM</text>'


def check_png(option: str) -> None:
    """Refuses PNG where nothing can draw it; `option` names what asked for it.

    Raises:
        InputError: resvg is not installed, or the machine has no font.
    """
    if find_spec("resvg_py") is None:
        raise InputError(
            f"{option}: needs resvg-py, which is not installed",
            hint="pip install resvg-py, or write .svg",
        )
    renderer: Any = import_module("resvg_py")
    # Without a font, texts would be left out without a word.
    with_and_without = (f"{_BLANK}{_LETTERS}</svg>", f"{_BLANK}</svg>")
    first, second = (renderer.svg_to_bytes(svg_string=text) for text in with_and_without)
    if first == second:
        raise InputError(
            f"{option}: none of the usual fonts is on this machine",
            hint="install one, such as fonts-dejavu-core, or write .svg",
        )


def png_bytes(svg_text: str, width_px: int | None = None) -> bytes:
    """A whole SVG file as PNG, `width_px` wide; None is twice as wide as the SVG says."""
    renderer: Any = import_module("resvg_py")
    size: dict[str, float] = {"zoom": 2.0} if width_px is None else {"width": width_px}
    return bytes(renderer.svg_to_bytes(svg_string=svg_text, **size))
