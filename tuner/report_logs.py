"""Where a REPORT is looked for that the tail of an answer lacks, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable

from core.aws.report_search import ReportSearch
from core.aws.session import AwsSession
from tuner.target import Target


def report_search(
    session: AwsSession, target: Target, wait: Callable[[float], bool]
) -> ReportSearch:
    """A search in the log group of `target`; nothing is connected to before it is needed."""
    group = target.log_group or f"/aws/lambda/{target.name}"
    return ReportSearch(session.logs, group, target.log_format == "JSON", wait)


def search_note(search: ReportSearch | None) -> str | None:
    """What came of the searches of a run; None where there were none."""
    if search is None:
        return None
    lacking = "the log tail lacked the REPORT"
    if search.problem is not None:
        return f"{lacking} of some calls, which are lost: {search.problem}"
    if search.found:
        calls = "1 call" if search.found == 1 else f"{search.found} calls"
        return (
            f"{lacking} of {calls}, which an extension that prints after it can do; "
            f"it was read from log group {search.group}"
        )
    return None
