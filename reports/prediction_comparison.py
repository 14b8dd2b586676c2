"""What was predicted of a load beside what it measured, as tables of text cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.blocks import Column, Table, TableRow
from reports.figures import ABSENT, closed, listed, part_of
from reports.load_prediction import LoadPrediction, PhasePrediction
from reports.load_words import cause_word
from reports.prediction_tables import UNKNOWN, number_words, quotas_table, throttled_words

# A prediction and a measurement that are so close say the same.
_CLOSE = 0.03
_NOTHING = 0.001


def comparison_tables(prediction: LoadPrediction) -> list[Table]:
    """What was predicted beside what was measured."""
    tables = [
        comparison_table(prediction),
        found_concurrency_table(prediction),
        quotas_table(prediction.quotas),
    ]
    return [table for table in tables if table is not None]


def comparison_table(prediction: LoadPrediction) -> Table | None:
    """Each phase that sent something: throttled share and binding layer, predicted and found."""
    phases = [phase for phase in prediction.phases if phase.found is not None]
    if not phases:
        return None
    columns = [
        Column("Phase", is_text=True),
        Column("Throttled, predicted"),
        Column("Measured"),
        Column("What binds", is_text=True),
        Column("Result", is_text=True),
    ]
    rows = [
        TableRow(
            [
                phase.name,
                throttled_words(phase),
                _measured(phase),
                both_layers(phase),
                agreement(phase),
            ]
        )
        for phase in phases
    ]
    return Table("Predicted and measured", columns, rows, notes=list(_reasons(phases)))


def _reasons(phases: Sequence[PhasePrediction]) -> Iterator[str]:
    """Why phases are not compared, a sentence for each reason."""
    names: dict[str, list[str]] = {}
    for phase in phases:
        if phase.found is not None and phase.found.not_compared:
            names.setdefault(phase.found.not_compared, []).append(phase.name)
    for reason, several in names.items():
        yield closed(f"{listed(several)} not compared: {reason}")


def _measured(phase: PhasePrediction) -> str:
    found = phase.found
    share = None if found is None else found.throttled_share
    return ABSENT if share is None else part_of(share, 1)


def both_layers(phase: PhasePrediction) -> str:
    """The layer that was predicted, and the one that was found where that is another."""
    predicted = _layer(phase.binds)
    found = predicted if phase.found is None else _layer(phase.found.cause)
    return predicted if found == predicted else f"{predicted}; found: {found}"


def _layer(layer: str | None) -> str:
    if layer is None:
        return UNKNOWN
    return "nothing" if layer == "none" else cause_word(layer)


def agreement(phase: PhasePrediction) -> str:
    """Whether prediction and measurement say the same, in words."""
    found = phase.found
    if found is None:
        return ABSENT
    if found.not_compared:
        return "not compared"
    if found.off_by is None:
        return "not predicted"
    if phase.unknown and found.off_by >= -_CLOSE:
        return "partly predicted"
    points = found.off_by * 100
    close = abs(found.off_by) <= _CLOSE
    named = found.cause in _likely(phase) or (found.throttled_share or 0.0) < _NOTHING
    if close and named:
        return "agrees"
    if close:
        return "another layer"
    return f"{abs(points):.1f} points {'more' if points > 0 else 'less'}"


def _likely(phase: PhasePrediction) -> set[str | None]:
    """The layers that refuse most as predicted, a hair apart or alone; and an unnamed one."""
    most = max((each.share for each in phase.refused_by), default=0.0)
    near = {each.layer for each in phase.refused_by if each.share >= most - _CLOSE}
    return {phase.binds, "throttle", *near}


def found_concurrency_table(prediction: LoadPrediction) -> Table | None:
    """Calls at once, predicted and by the metric ConcurrentExecutions, where both are known."""
    rows = [
        TableRow(
            [
                phase.name,
                use.function,
                number_words(use.mean, unknown=use.unknown),
                number_words(use.most, unknown=use.unknown),
                number_words(phase.found.concurrency[use.function]),
            ]
        )
        for phase in prediction.phases
        for use in phase.concurrency
        if phase.found is not None and use.function in phase.found.concurrency
    ]
    if not rows:
        return None
    columns = [
        Column("Phase", is_text=True),
        Column("Function", is_text=True),
        Column("Mean, predicted"),
        Column("Most, predicted"),
        Column("Most, measured"),
    ]
    return Table(
        "Calls at once, predicted and measured",
        columns,
        rows,
        "Measured: the metric ConcurrentExecutions of the minutes of the phase.",
    )
