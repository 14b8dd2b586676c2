"""What aws-lambda-power-tuning has found: its output in a file, or a link to its chart.

Nothing is fetched: a link carries its figures itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn, cast

from core.errors import InputError
from tuner.power_tuning.json_file import read_json_text
from tuner.power_tuning.link import Chart, Point, decode_link

Form = Literal["stats", "link", "result"]
_FORMS = "the output of aws-lambda-power-tuning, or a link to its chart"


@dataclass(frozen=True, slots=True)
class PowerTuningOutput:
    """Means by size, ascending; `currency` is that of all prices.

    `form` is where they come from: the full figures of `stats`, the rounded ones of a link, or the
    result alone. `chosen_mb` is what power tuning chose, and the two costs are those of its run;
    None where the source does not say. `skipped_mb` are sizes without a duration or a price.
    """

    origin: str
    form: Form
    points: tuple[Point, ...]
    skipped_mb: tuple[int, ...]
    currency: str
    chosen_mb: int | None = None
    execution_cost: float | None = None
    lambda_cost: float | None = None


def read_output(source: str) -> PowerTuningOutput:
    """What a file or a link shows.

    Raises:
        InputError: naming the file, the key, its value and what was expected.
    """
    if source.startswith(("http://", "https://")):
        return _output("the link", "link", _chart(source, "the link"))
    if not source:
        raise InputError("FILE: missing", hint=f"give {_FORMS}, which is quoted")
    try:
        text = read_json_text(Path(source))
    except OSError as error:
        raise InputError(
            f"could not read {source}: {error.strerror}", hint=f"give {_FORMS}, which is quoted"
        ) from error
    return parse_output(text, source)


def parse_output(text: str, origin: str) -> PowerTuningOutput:
    """The output in `text`; `origin` names it in errors.

    Raises:
        InputError: naming the key, its value and what was expected.
    """
    reader = _Reader(origin)
    result = reader.result(text)
    machine = reader.mapping(result.get("stateMachine", {}), "stateMachine")
    stats, link = result.get("stats"), machine.get("visualization")
    form: Form = "stats" if stats is not None else "link" if link is not None else "result"
    chart = reader.link(link) if link is not None else Chart(())
    points = chart.points
    if form == "stats":
        points = reader.stats(stats)
    elif form == "result":
        points = (reader.point(result, "", ("power", "duration", "cost")),)
    return _output(
        origin,
        form,
        Chart(points, chart.currency),
        chosen_mb=reader.size(result, "power", "") if "power" in result else None,
        execution_cost=reader.number(machine, "executionCost", "stateMachine."),
        lambda_cost=reader.number(machine, "lambdaCost", "stateMachine."),
    )


def _output(
    origin: str,
    form: Form,
    chart: Chart,
    *,
    chosen_mb: int | None = None,
    execution_cost: float | None = None,
    lambda_cost: float | None = None,
) -> PowerTuningOutput:
    by_size = {point.memory_mb: point for point in chart.points}
    ordered = [by_size[size] for size in sorted(by_size)]
    # A log line that power tuning cannot read counts as 0 ms there.
    usable = tuple(point for point in ordered if point.duration_ms > 0 and point.cost > 0)
    if not usable:
        raise InputError(f"{origin}: expected sizes with a duration and a cost above 0 (got none)")
    return PowerTuningOutput(
        origin=origin,
        form=form,
        points=usable,
        skipped_mb=tuple(point.memory_mb for point in ordered if point not in usable),
        currency=chart.currency,
        chosen_mb=chosen_mb,
        execution_cost=execution_cost,
        lambda_cost=lambda_cost,
    )


def _chart(url: str, where: str) -> Chart:
    try:
        return decode_link(url)
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error


class _Reader:
    """Reads an output and names the place of the first fault."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    def result(self, text: str) -> Mapping[str, object]:
        """The result itself, out of what may be around it."""
        values = self._json(text, self._origin)
        if isinstance(values, dict) and isinstance(values.get("output"), str):
            # As `aws stepfunctions describe-execution` prints it.
            values = self._json(values["output"], f"{self._origin}: output")
        if isinstance(values, dict) and "results" in values:
            values = self.mapping(values["results"], "results")
        if values is None or values == {}:
            raise InputError(
                f"{self._origin}: holds no result (got {json.dumps(values)}): power tuning ends so "
                "when a size fails, and after a dry run",
                hint="`tune` measures on when a size fails",
            )
        found = self.mapping(values, "")
        if not {"power", "stats", "stateMachine"} & found.keys():
            self._refuse("", sorted(found), f"{_FORMS}, with power, cost and duration")
        return found

    def _json(self, text: str, where: str) -> object:
        try:
            return cast("object", json.loads(text))
        except json.JSONDecodeError as error:
            place = f"{where}:{error.lineno}:{error.colno}"
            raise InputError(f"{place}: expected JSON, got: {error.msg}") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: expected JSON, got: {error}") from error

    def mapping(self, value: object, key: str) -> Mapping[str, object]:
        if not isinstance(value, dict):
            self._refuse(key, value, f"an object of {_FORMS}")
        return value

    def link(self, value: object) -> Chart:
        key = "stateMachine.visualization"
        if not isinstance(value, str):
            self._refuse(key, value, "a link")
        return _chart(value, f"{self._origin}: {key}")

    def stats(self, value: object) -> tuple[Point, ...]:
        if not isinstance(value, list) or not value:
            self._refuse("stats", value, "a list of value, averageDuration and averagePrice")
        keys = ("value", "averageDuration", "averagePrice")
        return tuple(
            self.point(self.mapping(item, f"stats[{number}]"), f"stats[{number}].", keys)
            for number, item in enumerate(value)
        )

    def point(self, values: Mapping[str, object], where: str, keys: tuple[str, str, str]) -> Point:
        size, duration, cost = keys
        numbers = [self.number(values, key, where) for key in (duration, cost)]
        for key, number in zip((duration, cost), numbers, strict=True):
            if number is None:
                raise InputError(f"{self._origin}: {where}{key}: missing")
        duration_ms, price = cast("list[float]", numbers)
        return Point(self.size(values, size, where), duration_ms, price)

    def size(self, values: Mapping[str, object], key: str, where: str) -> int:
        """A memory size, also as the text that older versions write."""
        value = values.get(key)
        text = str(value) if isinstance(value, int | str) else ""
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
            self._refuse(f"{where}{key}", value, "a memory size in whole MB")
        return int(text)

    def number(self, values: Mapping[str, object], key: str, where: str) -> float | None:
        value = values.get(key)
        if value is None:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= cast("float", value) < 1e15:
            self._refuse(f"{where}{key}", value, "a number from 0 up")
        return float(cast("float", value))

    def _refuse(self, key: str, value: object, expected: str) -> NoReturn:
        shown = json.dumps(value, default=str)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        place = f"{self._origin}: {key}" if key else self._origin
        raise InputError(f"{place}: expected {expected} (got {shown})")
