"""A chart on a page: its title, its drawings for several widths, and the sentence that reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart drawn for each width, or none, and the words under it."""

    title: str
    help: str
    drawings: Sequence[str]

    @property
    def markup(self) -> list[Markup]:
        """The drawings, ready for a template.

        Every text in them was escaped when it was drawn (`reports.svg.text` and `titled`).
        """
        return [Markup(drawing) for drawing in self.drawings]  # noqa: S704
