"""The style sheet: readable in the light and in the dark, and complete for the drawings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import reports
from reports import load_stack, waterfall_chart
from reports.load_waterfall import PartName
from tests.reports.everything import everything_html

CSS = (Path(reports.__file__).parent / "assets" / "page.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
)
TEXT_ON = [
    ("ink", "ground"),
    ("ink", "taken-ground"),
    ("ink", "warn-ground"),
    ("ink", "bad-ground"),
    ("muted", "ground"),
    ("muted", "taken-ground"),
    ("muted", "warn-ground"),
    ("muted", "bad-ground"),
    ("data", "ground"),
    ("taken", "ground"),
    ("taken", "taken-ground"),
    ("current", "ground"),
    ("bad", "ground"),
    ("bad", "bad-ground"),
    ("warn", "ground"),
    ("warn", "warn-ground"),
    ("muted", "phase"),
    ("muted", "other-phase"),
]
# Marks of a drawing that must be told from what is behind them (WCAG 2.1, 1.4.11).
MARK_ON = [
    ("data", "other-phase"),
    ("low", "other-phase"),
    ("high", "other-phase"),
    ("current", "other-phase"),
    ("ink", "refused"),
    ("ink", "admitted"),
    ("refused-line", "refused"),
    ("muted", "unnamed"),
]


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_text_has_a_contrast_of_at_least_4_5(palette, text, ground):
    one, other = sorted(luminance(palette[name]) for name in (text, ground))
    assert (other + 0.05) / (one + 0.05) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("mark", "ground"), MARK_ON)
def test_a_mark_has_a_contrast_of_at_least_3(palette, mark, ground):
    one, other = sorted(luminance(palette[name]) for name in (mark, ground))
    assert (other + 0.05) / (one + 0.05) >= 3


def test_the_dark_palette_names_every_colour_of_the_light_one():
    assert DARK.keys() == LIGHT.keys()
    used = set(re.findall(r"var\(--([a-z-]+)\)", CSS))
    assert used == LIGHT.keys()


def test_every_class_of_a_drawing_is_styled_for_the_dark():
    drawings = "".join(re.findall(r"<svg .*?</svg>", everything_html(), re.DOTALL))
    classes = {name for value in re.findall(r'class="([^"]+)"', drawings) for name in value.split()}
    hooks = {"x-ticks"}  # of the script alone
    assert {name for name in classes - hooks if f".{name}" not in CSS} == set()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("gateway", "integration"),
        ("integration", "init"),
        ("integration", "handler"),
        ("init", "handler"),
    ],
)
def test_parts_that_touch_differ_in_more_than_their_hue(one: PartName, other: PartName):
    assert waterfall_chart.FILLS[one].hatch != waterfall_chart.FILLS[other].hatch


def test_what_was_refused_differs_from_what_was_admitted_in_more_than_its_hue():
    for cause in ("stage", "method", "usage_plan", "quota", "account", "anything"):
        assert load_stack.fill_of(cause).hatch != "solid"
