"""What the client knows of a run, to hold what AWS counted against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.outcome import Cause, Kind, Outcome
from loadgen.records import Records
from loadgen.tally import Tally
from reports.load_document import LoadDocument, PhaseSlice

# Nothing of these requests reached an API.
_NEVER_SENT = frozenset(
    {Cause.DNS, Cause.REFUSED, Cause.CONNECT_TIMEOUT, Cause.TLS, Cause.NO_CONNECTION}
)
_UNANSWERED = frozenset({Outcome.TIMEOUT, Outcome.CONNECTION_ERROR})


@dataclass(frozen=True, slots=True)
class ClientCounts:
    """Requests of all phases, warm-up too.

    `unanswered` ones were sent and may have been counted by the API: timed out, broken off, cut.
    `sent_by_second` counts from the beginning of the run. `steps_known` is whether the counts by
    step have all phases; else they are at least so many.
    """

    answered: int
    unanswered: int
    sent_by_second: Mapping[int, int]
    ok_by_step: Mapping[int, int]
    completed_by_step: Mapping[int, int]
    steps_known: bool


def counts_of_tally(tally: Tally) -> ClientCounts:
    """The counts of a run whose books are at hand."""
    every = range(len(tally.phases))
    totals = tally.totals(every)
    kinds = [(Kind.of(code), count) for code, count in totals.counts.items()]
    sent = {s: tally.arrivals(every, range(s, s + 1)).sent for s in tally.seconds}
    by_step = {step.index: tally.totals(every, step=step.index) for step in tally.steps}
    answered, unanswered = _answered((kind.outcome, kind.cause, count) for kind, count in kinds)
    return ClientCounts(
        answered,
        unanswered + max(totals.sent - totals.completed, 0),
        sent,
        {number: of_step.outcomes[Outcome.OK] for number, of_step in by_step.items()},
        {number: of_step.completed for number, of_step in by_step.items()},
        steps_known=True,
    )


def counts_of_document(document: LoadDocument, records: Records | None) -> ClientCounts:
    """The counts of a run whose result is at hand, and its records where they were kept."""
    answered, unanswered = _answered(kind for phase in document.phases for kind in _kinds_of(phase))
    unanswered += sum(max(p.requests.sent - p.requests.completed, 0) for p in document.phases)
    ok = {number: step.outcomes.ok for number, step in enumerate(document.steps)}
    completed = {number: step.requests.completed for number, step in enumerate(document.steps)}
    if records is not None:
        # A result has steps of measured phases only.
        ok = _by_step(records["step"][records["kind"] >> 12 == Outcome.OK])
        completed = _by_step(records["step"])
    return ClientCounts(
        answered,
        unanswered,
        {second.second: second.offered - second.dropped for second in document.seconds},
        ok,
        completed,
        steps_known=records is not None,
    )


def _kinds_of(phase: PhaseSlice) -> Iterator[tuple[Outcome, Cause, int]]:
    for name, count in phase.outcomes.model_dump().items():
        known = [entry for entry in phase.errors_by_cause if entry.outcome == name]
        for entry in known:
            cause = Cause.__members__.get(entry.cause.upper(), Cause.UNKNOWN)
            yield Outcome[name.upper()], cause, entry.count
        if not known:
            yield Outcome[name.upper()], Cause.NONE, count


def _by_step(steps: NDArray[np.uint16]) -> dict[int, int]:
    return dict(enumerate(np.bincount(steps).tolist()))


def _answered(kinds: Iterable[tuple[Outcome, Cause, int]]) -> tuple[int, int]:
    """Requests that were answered, and those that may have reached the API without an answer."""
    answered, unanswered = 0, 0
    for outcome, cause, count in kinds:
        if outcome not in _UNANSWERED:
            answered += count
        elif cause not in _NEVER_SENT:
            unanswered += count
    return answered, unanswered
