"""A drawing area of characters: dots of a fine grid, marks, fills and words, each with a style.

With Unicode a character holds two by four dots (Braille); without, each dot is a whole character.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# The bit of each dot in a Braille character, by column and row.
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BRAILLE = 0x2800


@dataclass(frozen=True, slots=True)
class Cell:
    """A character and its style, a name of rich's; the empty one is the terminal's own."""

    character: str = " "
    style: str = ""


class Canvas:
    """`width` by `height` characters; dots are counted from the upper left corner."""

    def __init__(self, width: int, height: int, *, unicode: bool) -> None:
        self.width, self.height, self.unicode = width, height, unicode
        self._cells = [[Cell() for _ in range(width)] for _ in range(height)]
        self._bits = [[0] * width for _ in range(height)]

    @property
    def dots_across(self) -> int:
        """How many dots a row has."""
        return self.width * (2 if self.unicode else 1)

    @property
    def dots_down(self) -> int:
        """How many dots a column has."""
        return self.height * (4 if self.unicode else 1)

    def put(self, column: int, row: int, character: str, style: str = "") -> None:
        """One character; outside the canvas nothing is drawn."""
        if 0 <= column < self.width and 0 <= row < self.height:
            self._cells[row][column] = Cell(character, style)
            self._bits[row][column] = 0

    def write(self, column: int, row: int, words: str, style: str = "") -> None:
        """Words from left to right."""
        for offset, character in enumerate(words):
            self.put(column + offset, row, character, style)

    def is_free(self, column: int, row: int, length: int) -> bool:
        """Whether nothing is drawn on so many characters of a row."""
        inside = 0 <= row < self.height and column >= 0 and column + length <= self.width
        return inside and all(
            self._cells[row][at].character == " " for at in range(column, column + length)
        )

    def dot(self, x: int, y: int, style: str, mark: str) -> None:
        """One dot; without Unicode it is drawn as `mark`."""
        if not (0 <= x < self.dots_across and 0 <= y < self.dots_down):
            return
        if not self.unicode:
            self.put(x, y, mark, style)
            return
        column, row = x // 2, y // 4
        self._bits[row][column] |= _DOTS[x % 2][y % 4]
        self._cells[row][column] = Cell(chr(_BRAILLE + self._bits[row][column]), style)

    def stroke(
        self, start: tuple[int, int], end: tuple[int, int], style: str, mark: str, dash: Dash
    ) -> None:
        """A straight line of dots; `dash` says which of them are drawn."""
        (x, y), (to_x, to_y) = start, end
        steps = max(abs(to_x - x), abs(to_y - y), 1)
        for step in range(steps + 1):
            at = (x + round((to_x - x) * step / steps), y + round((to_y - y) * step / steps))
            if dash.shows(at[0]):
                self.dot(*at, style, mark)

    def rows(self) -> Sequence[Sequence[Cell]]:
        """All characters, from the top."""
        return self._cells


@dataclass(frozen=True, slots=True)
class Dash:
    """Which columns of dots a line has: `on` of each `period`; so lines differ without colour."""

    on: int = 1
    period: int = 1

    def shows(self, x: int) -> bool:
        """Whether the column `x` of dots is drawn."""
        return x % self.period < self.on
