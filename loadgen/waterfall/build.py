"""Waterfall and cold starts of a run, from its records and traces."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from loadgen.outcome import Outcome
from loadgen.records import Records
from loadgen.steps import StepInfo
from loadgen.telemetry.traces import Traces, empty_traces
from loadgen.waterfall.from_metrics import MetricMedians, split_median
from loadgen.waterfall.groups import Rows, by_response, group_of, median_of, slowest_of
from loadgen.waterfall.sample import Sample, of_logs, sample_of
from loadgen.waterfall.split import Bools, Split, split
from reports.load_latency import MANY_NOT_OK_SHARE
from reports.load_waterfall import StepTimes, Waterfall


@dataclass(frozen=True, slots=True)
class Choice:
    """Which requests count: those of the measured phases, and what the steps are called."""

    measured: Collection[int]
    steps: Sequence[StepInfo]


def waterfall_of(
    records: Records, traces: Traces, choice: Choice, medians: MetricMedians | None = None
) -> Waterfall | None:
    """Where the time of the measured requests goes, whole and by step.

    None where no response began, or the client does not know when: that of a locustfile.

    `medians` are used where no log line tells anything of single requests.
    """
    sample = sample_of(records, traces)
    rows, of_ok = _chosen(records, sample.rows, choice)
    if not np.any(records["first_byte_us"][rows]):
        return None
    if sample.source == "client":
        traces = empty_traces(len(records))
    elif sample.source == "logs":
        traces = of_logs(records, traces)
    found = split(records, traces)
    ordered = by_response(found.response_ms, rows)
    whole = Waterfall(
        source=sample.source,
        of="ok" if of_ok else "completed",
        requests=len(rows),
        median=group_of(found, median_of(ordered)),
        slowest=group_of(found, slowest_of(ordered)),
        steps=_steps(records, found, ordered, choice.steps),
        notes=[*([sample.note] if sample.note else ()), *_log_notes(traces, sample)],
    )
    if sample.source != "client" or medians is None:
        return whole
    return _with_medians(whole, medians)


def _chosen(records: Records, sampled: Bools, choice: Choice) -> tuple[Rows, bool]:
    """Completed requests of the measured phases; only the ok ones where many are not.

    Refusals take a millisecond: the median of a run that is refused is no request of a user.
    """
    measured = sampled & np.isin(records["phase"], list(choice.measured))
    ok = measured & (records["kind"] >> 12 == Outcome.OK)
    n, n_ok = int(measured.sum()), int(ok.sum())
    of_ok = n_ok > 0 and n - n_ok > MANY_NOT_OK_SHARE * n
    return np.flatnonzero(ok if of_ok else measured), of_ok


def _steps(
    records: Records, found: Split, ordered: Rows, steps: Sequence[StepInfo]
) -> list[StepTimes]:
    numbers = records["step"][ordered]
    shown = []
    for step in steps:
        rows = ordered[numbers == step.index]
        if len(rows):
            shown.append(
                StepTimes(
                    step=step.name,
                    scenario=step.scenario,
                    requests=len(rows),
                    median=group_of(found, median_of(rows)),
                    slowest=group_of(found, slowest_of(rows)),
                )
            )
    return shown


def _log_notes(traces: Traces, sample: Sample) -> list[str]:
    """What the log does not have, and where that time is."""
    notes: list[str] = []
    logged = ~np.isnan(traces["latency_ms"])
    if sample.source != "logs":
        return notes
    if not logged.any():
        notes.append(
            "no line of the access log has the latency of the gateway: network and API are one "
            "part; $context.responseLatency in its format tells them apart"
        )
    elif np.isnan(traces["integration_ms"][logged]).all():
        notes.append(
            "no line of the access log has an integration latency: gateway and function are one "
            "part; $context.integration.latency in its format tells them apart"
        )
    elif np.isnan(traces["authorizer_ms"][logged]).all():
        notes.append(
            "no line of the access log has an authorizer latency: if an authorizer ran, its time "
            "is in the gateway overhead"
        )
    return notes


def _with_medians(whole: Waterfall, medians: MetricMedians) -> Waterfall:
    if whole.of == "ok":
        # Their median would be that of other requests, and the rest would look like network.
        note = "metrics have refused and failed requests among the others: nothing is split by them"
        return whole.model_copy(update={"notes": [*whole.notes, note]})
    median = split_median(whole.median, medians)
    if median is None:
        note = (
            "the metrics of the API say longer times than the client waited, so they are of other "
            "requests too: nothing is split by them"
        )
        return whole.model_copy(update={"notes": [*whole.notes, note]})
    notes = list(whole.notes)
    if any(part.part == "gateway" for part in median.parts):
        notes.append("metrics have no time of authorizers: it is in the gateway overhead")
    return whole.model_copy(update={"source": "metrics", "median": median, "notes": notes})
