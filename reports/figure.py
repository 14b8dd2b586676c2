"""A chart on a page: title, drawings for several widths, the sentence that reads it, its data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.blocks import Column


@dataclass(frozen=True, slots=True)
class DataRow:
    """What is drawn at one place of the horizontal axis, as text; the first cell names the place.

    `x` is in the unit of the axis; None where the chart has no continuous horizontal axis.
    """

    x: float | None
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class Data:
    """The table under a chart, which is also what a reader's pointer shows.

    Column 0 names the rows; a series of the drawing has the number of its column.
    """

    columns: Sequence[Column]
    rows: Sequence[DataRow]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart drawn for each width, or none, the words under it, and what it is drawn from.

    `name` is the chart's own in its section: `reports chart RUN NAME` finds it by that.
    """

    title: str
    help: str
    drawings: Sequence[str]
    data: Data | None = None
    name: str = ""

    @property
    def markup(self) -> list[Markup]:
        """The drawings, ready for a template.

        Every text in them was escaped when it was drawn (`reports.svg.text` and `titled`).
        """
        return [Markup(drawing) for drawing in self.drawings]  # noqa: S704
