"""Telemetry of the run that has just ended, with what the run knows of itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.interrupt import StopRequest
from loadgen.conduct import Course
from loadgen.preparation import Prepared
from loadgen.records import read_records
from loadgen.tally import Tally
from loadgen.telemetry.client import counts_of_tally
from loadgen.telemetry.gather import RunSeen, Telemetry, Wanted, gather_telemetry
from loadgen.telemetry.subject import subject_of
from loadgen.telemetry.traces import write_traces


def telemetry_after_run(
    prepared: Prepared,
    tally: Tally,
    course: Course,
    folder: Path,
    say: Callable[[str], None],
    stop: StopRequest,
) -> Telemetry | None:
    """What AWS saw; None where it is not to be asked, or no API of AWS is behind the target.

    Traces are stored beside the records. `aws.settle` counts from the end of the run; who stops the
    run, or this, does not wait any more.

    Raises:
        ToolError: AWS cannot be asked at all, or the traces cannot be written.
    """
    aws, api = prepared.profile.aws, prepared.resolved.api
    if prepared.session is None or api is None or not aws.discover:
        return None
    ended_s = course.started_unix_s + course.ended_s
    now_s = time.time()
    patience_s = max(ended_s + aws.settle_s - now_s, 0.0)
    with_records = aws.logs and prepared.profile.output.records
    files = read_records(folder) if with_records and not prepared.profile.locustfile else []
    found = gather_telemetry(
        subject_of(api, prepared.limits, prepared.steps),
        RunSeen(
            counts_of_tally(tally),
            np.concatenate(files) if files else None,
            course.started_unix_s,
            ended_s,
        ),
        prepared.session,
        Wanted(metrics=aws.metrics, logs=aws.logs, settle_s=patience_s),
        say,
        now_s=now_s,
        stopped=lambda: stop.requested,
    )
    if found.traces is not None:
        write_traces(folder, found.traces)
    return found
