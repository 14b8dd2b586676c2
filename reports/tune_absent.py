"""The parts that a page about a tuning could have and has not, each with what would fill it."""

from __future__ import annotations

import shlex

from reports.document import TuneDocument
from reports.tune_residuals import residual_figure
from reports.tune_test import is_test_run

_LOAD_RUN = "`loadgen run PROFILE`, on the API in front of the function"


def absent_parts(document: TuneDocument) -> list[tuple[str, str]]:
    """Names of parts and the commands that fill them, in the order of the page."""
    tune = f"`tune {shlex.quote(document.function.name)}"
    is_test = is_test_run(document)
    measured = any(size.cost_usd_per_million is not None for size in document.sizes)
    wanted = [
        (not measured, "Cost against duration", f"a run with a warm sample: {tune}`"),
        (document.cold is None, "Cold starts in the cost", f"{tune} --cold-share auto`"),
        (True, "Cost of API Gateway, data and logs", _LOAD_RUN),
        (document.monthly is None, "The bill of a month", f"{tune} --requests-per-month auto`"),
        (True, "Latency by part, from queue to handler",
         "`loadgen run PROFILE --logs`"),
        (True, "Refused requests and their limits", _LOAD_RUN),
        (document.slo is None, "A limit on a percentile", f"{tune} --slo 'p95 < 300ms'`"),
        (document.arch is None, "x86_64 beside arm64",
         f"{tune} --arch both --arch-function NAME`"),
        (True, "What changed since another run", "`tune compare RUN RUN`"),
        (not is_test and residual_figure(document, "absent") is None, "Fit of the curve",
         f"samples at three sizes or more: {tune}`"),
        (not document.raw_files, "Raw data by SHA-256", "a run of this version names its files"),
    ]  # fmt: skip
    return [(name, filled_by) for is_absent, name, filled_by in wanted if is_absent]
