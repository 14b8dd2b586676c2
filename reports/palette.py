"""The colours of pages, light and dark, from their one home: the style sheet.

A drawing carries the light ones as attributes; for a dark ground each is exchanged for its pair.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_ROOT = re.compile(r":root \{(.*?)\}", re.DOTALL)
_VALUE = re.compile(r"--([\w-]+): (#[0-9a-f]{6});")


@cache
def palettes() -> tuple[dict[str, str], dict[str, str]]:
    """The light colours by name, and the dark ones."""
    text = files("reports").joinpath("assets", "page.css").read_text(encoding="utf-8")
    light, dark = (dict(_VALUE.findall(block)) for block in _ROOT.findall(text)[:2])
    return light, dark


@cache
def dark_of_light() -> dict[str, str]:
    """For each light colour the one that stands for it on a dark ground."""
    light, dark = palettes()
    return {colour: dark[name] for name, colour in light.items()}


@cache
def light_names() -> dict[str, str]:
    """The name of each light colour."""
    light, _ = palettes()
    return {colour: name for name, colour in light.items()}
