"""Charts on the terminal: what they are called, what they show, and the drawing."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Sequence
from itertools import groupby

from rich.text import Text

from core.console import Console
from reports.figure import Figure
from reports.figures import SPACE
from reports.kinds import Document
from reports.plot import plot_of
from reports.run_charts import main_charts
from reports.run_frames import name_of
from reports.terminal_canvas import Cell
from reports.terminal_chart import chart_lines

WIDTH = 80
# Below this there is no room for an axis and its names: a narrower terminal wraps or cuts.
LEAST_WIDTH = 44
_ASCII = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "µ": "u", SPACE: " "})


def show_charts(console: Console, documents: Sequence[Document]) -> None:
    """The main charts of each run."""
    for document in documents:
        if len(documents) > 1:
            console.show(f"\n{name_of(document)}")
        for figure in main_charts(document):
            show_chart(console, figure)


def show_chart(console: Console, figure: Figure) -> None:
    """Title, drawing and finding; a figure without numbers has no drawing."""
    unicode = draws_unicode(console)
    console.show(_plain(f"\n{figure.title}", unicode=unicode))
    plot = plot_of(figure)
    if plot is None:
        console.show(_plain(figure.help, unicode=unicode))
        return
    lines = chart_lines(plot, _width(console), unicode=unicode)
    text = Text("\n").join(_text(line, unicode=unicode) for line in lines)
    text.no_wrap = True
    console.show(text)
    console.show(_plain(plot.finding, unicode=unicode))


def _width(console: Console) -> int:
    """80 columns, or those of a narrower terminal."""
    return max(LEAST_WIDTH, min(WIDTH, console.width))


def shown(console: Console, words: str) -> str:
    """Words as the stream of results can show them."""
    return _plain(words, unicode=draws_unicode(console))


def draws_unicode(console: Console) -> bool:
    """Whether the stream that results go to can show more than ASCII."""
    stream = sys.stderr if console.json_output else sys.stdout
    encoding = getattr(stream, "encoding", None) or locale.getpreferredencoding(do_setlocale=False)
    try:
        "⠿█●─".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return os.environ.get("TERM") != "dumb"


def _plain(words: str, *, unicode: bool) -> str:
    if unicode:
        return words
    return words.translate(_ASCII).encode("ascii", "replace").decode()


def _text(line: Sequence[Cell], *, unicode: bool) -> Text:
    """A line with as few changes of style as it needs."""
    text = Text()
    for style, cells in groupby(line, key=lambda cell: cell.style):
        words = "".join(cell.character for cell in cells)
        text.append(_plain(words, unicode=unicode), style or None)
    text.rstrip()
    return text
