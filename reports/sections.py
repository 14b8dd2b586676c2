"""What the parts of a page have in common: the figures in them, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from reports.figure import Figure


def figures_of(section: object) -> list[Figure]:
    """The figures of a section that have a drawing, in the order of its fields."""
    return [figure for figure in _figures(section) if figure.drawings]


def _figures(value: object) -> Iterator[Figure]:
    if isinstance(value, Figure):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _figures(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _figures(getattr(value, field.name))
