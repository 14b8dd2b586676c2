"""`reports chart`: lists the charts of a run, draws one, or writes it as a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.console import Console
from core.errors import ExitCode, InputError
from reports.atomic_file import write_atomically
from reports.exports import check_writable
from reports.figure import Figure
from reports.png import check_png, png_bytes
from reports.run_charts import chart_named, charts_of
from reports.run_folder import read_document
from reports.standalone_svg import finding_of, standalone_svg

_LEAST_PX, _MOST_PX = 200, 10_000


@dataclass(frozen=True, slots=True)
class ChartAsked:
    """The options of the command."""

    run: Path
    name: str | None
    output: Path | None
    width_px: int | None
    dark: bool


def run_chart(console: Console, asked: ChartAsked) -> ExitCode:
    """Lists, draws or writes, as asked.

    Raises:
        InputError: an option is wrong, the run cannot be read, or it has no such chart.
    """
    _check(asked)
    charts = charts_of(read_document(asked.run))
    if asked.name is None:
        _list(console, charts)
        return ExitCode.PASS
    figure = chart_named(charts, asked.name)
    if asked.output is not None:
        _write(figure, asked.output, asked)
        answer = _answer(path=str(asked.output)) if console.json_output else str(asked.output)
        console.document(answer)
    elif console.json_output:
        console.document(_answer(chart={**_facts(figure), **_table(figure)}))
    else:
        from reports.chart_view import show_chart

        show_chart(console, figure)
    return ExitCode.PASS


def _check(asked: ChartAsked) -> None:
    """Refuses wrong options before anything is read."""
    output = asked.output
    if output is None:
        options = (("--width", asked.width_px is not None), ("--dark", asked.dark))
        for option, given in options:
            if given:
                raise InputError(f"{option}: needs a picture: give -o PATH.svg or -o PATH.png")
        return
    if asked.name is None:
        raise InputError(
            f"-o {output}: needs the NAME of a chart", hint="without both, all are listed"
        )
    if output.suffix.lower() not in (".svg", ".png"):
        raise InputError(f"-o {output}: must end in .svg or .png (got '{output.suffix}')")
    if asked.width_px is not None and not _LEAST_PX <= asked.width_px <= _MOST_PX:
        raise InputError(
            f"--width: expected {_LEAST_PX} to {_MOST_PX} pixels (got {asked.width_px})"
        )
    check_writable(output, f"-o {output}")
    if output.suffix.lower() == ".png":
        check_png(f"-o {output}")


def _write(figure: Figure, output: Path, asked: ChartAsked) -> None:
    if output.suffix.lower() == ".png":
        picture = standalone_svg(figure, dark=asked.dark)
        write_atomically(output, png_bytes(picture, asked.width_px))
    else:
        write_atomically(output, standalone_svg(figure, asked.width_px, dark=asked.dark))


def _list(console: Console, charts: Sequence[Figure]) -> None:
    if console.json_output:
        console.document(_answer(charts=[_facts(figure) for figure in charts]))
        return
    from reports.chart_view import shown

    if not charts:
        console.show("This run has no charts.")
    for number, figure in enumerate(charts):
        gap = "\n" if number else ""
        console.show(shown(console, f"{gap}{figure.name}: {figure.title}"))
        console.show(shown(console, f"  {finding_of(figure)}"))


def _facts(figure: Figure) -> dict[str, object]:
    return {"name": figure.name, "title": figure.title, "finding": finding_of(figure)}


def _table(figure: Figure) -> dict[str, object]:
    """The data of a chart as the page shows them."""
    data = figure.data
    if data is None:
        return {"columns": [], "rows": []}
    return {
        "columns": [column.title for column in data.columns],
        "rows": [{"x": row.x, "cells": list(row.cells)} for row in data.rows],
    }


def _answer(**found: object) -> str:
    whole = {"schema_version": 1, "verdict": "pass", "exit_code": 0, "errors": [], **found}
    return json.dumps(whole, ensure_ascii=False)
