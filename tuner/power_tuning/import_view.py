"""What was imported from aws-lambda-power-tuning, on a terminal and as JSON."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.table import Table

from core.console import Console
from core.errors import ExitCode
from reports.document import Objective
from reports.figures import SPACE, listed_sizes, megabytes, percent, significant, usd
from tuner.power_tuning.link import encode_link
from tuner.power_tuning.output_file import PowerTuningOutput
from tuner.power_tuning.reading import Between, Reading, Row, request_fee_per_million

NO_SCATTER = "means have no scatter: nothing tells how far off they are, or which sizes are equal"
_WORDS: dict[Objective, str] = {"cost": "cheapest", "speed": "fastest", "balanced": "balanced"}


def command_of(reading: Reading) -> list[str]:
    """The command that measures what is open; FUNCTION stands for what the source does not name."""
    goal = reading.goal
    words = ["tune", "FUNCTION", "--sizes", ",".join(str(mb) for mb in reading.open_mb)]
    if goal.objective != "cost":
        words += ["--objective", goal.objective]
    if goal.weight is not None:
        words += ["--weight", f"{goal.weight:g}"]
    return words


def show_reading(console: Console, output: PowerTuningOutput, reading: Reading) -> None:
    """The whole answer: on stdout, or on stderr where stdout carries JSON."""
    sizes = len(reading.rows)
    best = reading.best_mb[reading.goal.objective]
    console.show(
        f"inconclusive: of the means at {sizes} size{'' if sizes == 1 else 's'}, those of "
        f"{megabytes(best)} are {_superlative(reading)}"
    )
    if output.chosen_mb is not None:
        console.show(f"  power tuning chose {megabytes(output.chosen_mb)}")
    console.show(_table(output, reading))
    console.show(curve_sentence(reading))
    command = command_of(reading)
    console.show(f"{listed_sizes(reading.open_mb)} are to be told apart; this measures them:")
    console.show(f"  {shlex.join(command)}")
    console.show(f"or, with the input of that run: tune --power-tuning FILE {_options(command)}")
    for note in notes_of(output, reading):
        console.show(f"note: {note}")


def _options(command: list[str]) -> str:
    return shlex.join(command[2:])


def _superlative(reading: Reading) -> str:
    return {"cost": "the cheapest", "speed": "the fastest"}.get(
        reading.goal.objective, "the best balance of cost and speed"
    )


def _table(output: PowerTuningOutput, reading: Reading) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    unit = "$" if output.currency == "USD" else output.currency
    fee = request_fee_per_million(output.currency)
    for heading in ("MB", "mean\nms", f"{unit} per million\nas stated"):
        table.add_column(heading, justify="right", no_wrap=True)
    if fee is not None:
        table.add_column(f"{unit} per million\nwith request fee", justify="right", no_wrap=True)
    table.add_column("")
    for row in reading.rows:
        cells = [str(row.memory_mb), significant(row.duration_ms)]
        cells.append(significant(row.stated_per_million))
        if fee is not None:
            cells.append(significant(row.cost_per_million))
        table.add_row(*cells, ", ".join(remarks_of(row, reading)))
    return table


def remarks_of(row: Row, reading: Reading) -> list[str]:
    """What a size is best in: cheapest, fastest, balanced."""
    return [word for name, word in _WORDS.items() if reading.best_mb[name] == row.memory_mb]


def curve_sentence(reading: Reading) -> str:
    """What can be said of the sizes between the points."""
    between = reading.between
    if between is None:
        return "curve: too few sizes for one: what is between them is unknown"
    off = f"typically {percent(between.loo_error)} off at a size that it has not seen"
    if not between.is_sound:
        return (
            f"curve: the means follow none, the best one ({between.family}) is {off}: what is "
            "between them is unknown"
        )
    return f"curve: {between.family}, {off}; {_between_words(between, reading)}"


def _between_words(between: Between, reading: Reading) -> str:
    better = {"cost": "cheaper", "speed": "faster"}.get(reading.goal.objective, "better")
    if not between.may_be_better:
        return f"by it, no size between those measured is more than 1{SPACE}% {better}"
    return f"by it, about {megabytes(between.best_mb)} is {percent(between.gain_share)} {better}"


def notes_of(output: PowerTuningOutput, reading: Reading) -> Iterator[str]:
    """What a reader has to know of the figures and their source."""
    yield NO_SCATTER
    if reading.at_edge:
        yield "the best size is the smallest or the largest measured: better ones may be beyond"
    if output.skipped_mb:
        yield (
            f"{listed_sizes(output.skipped_mb)} left out: no duration or no price, as where power "
            "tuning cannot read the log line"
        )
    fee = request_fee_per_million(output.currency)
    if fee is None:
        yield f"the fee of a request is in no cost: it is not known here in {output.currency}"
    else:
        yield f"power tuning leaves out the fee of a request, {usd(fee)} per million"
    yield (
        "its default prices are rounded up: by 0.8 % on x86_64, by 2.0 % on arm64, in regions with "
        "a price of their own by more or less"
    )
    yield from _rounding(reading)
    yield (
        "durations there contain INIT: cold calls are in the means as far as they were not cut off"
    )
    if output.execution_cost is not None and output.lambda_cost is not None:
        yield (
            f"that run cost {usd(output.execution_cost)} for Step Functions and "
            f"{usd(output.lambda_cost)} for Lambda, as it states"
        )


def _rounding(reading: Reading) -> Iterator[str]:
    fastest = min(reading.rows, key=lambda row: row.duration_ms)
    share = 1 / max(fastest.duration_ms, 1)
    if share >= 0.001:
        yield (
            "a cost there is that of the mean rounded up to a whole millisecond, at "
            f"{megabytes(fastest.memory_mb)} up to {percent(share)} too much"
        )


def document_of(output: PowerTuningOutput, reading: Reading) -> str:
    """The JSON document: no result of a tuning, since it has no samples behind it."""
    between = reading.between
    values = {
        "schema_version": 1,
        "kind": "power-tuning-import",
        "verdict": "inconclusive",
        "exit_code": int(ExitCode.INCONCLUSIVE),
        "errors": [],
        "notes": list(notes_of(output, reading)),
        "source": {
            "origin": output.origin,
            "form": output.form,
            "currency": output.currency,
            "chosen_mb": output.chosen_mb,
            "execution_cost": output.execution_cost,
            "lambda_cost": output.lambda_cost,
            "skipped_mb": list(output.skipped_mb),
        },
        "objective": reading.goal.objective,
        "weight": reading.goal.weight,
        "sizes": [
            {
                "memory_mb": row.memory_mb,
                "duration_mean_ms": row.duration_ms,
                "stated_cost_per_million": row.stated_per_million,
                "cost_per_million": row.cost_per_million,
                "best_in": remarks_of(row, reading),
            }
            for row in reading.rows
        ],
        "best_mb": reading.best_mb,
        "curve": None
        if between is None
        else {
            "family": between.family,
            "formula": between.formula,
            "loo_error_share": between.loo_error,
            "is_sound": between.is_sound,
            "best_between_mb": between.best_mb,
            "gain_share": between.gain_share,
        },
        "open_mb": list(reading.open_mb),
        "command": command_of(reading),
        "visualization_url": encode_link(output.points) if output.currency == "USD" else None,
    }
    return json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
