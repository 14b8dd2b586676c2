"""What two looks at AWS know of a run together: the later one may find less."""

from __future__ import annotations

from reports.load_telemetry import LoadTelemetry, ReportTotals

_KEPT = "metrics are those that were read at"


def better_of(before: LoadTelemetry | None, now: LoadTelemetry) -> LoadTelemetry:
    """What is known now, with what an earlier look had and this one has not.

    CloudWatch drops minutes after 15 days, and others may use the API in the run's last minute.
    """
    if before is None:
        return now
    now = _with_lines(before, now)
    if now.coverage.state == "covered":
        return now
    if before.coverage.state != "covered" and now.coverage.state not in ("unknown", "none"):
        return now
    if before.coverage.state == "unknown":
        return now
    kept = [note for note in before.notes if note.startswith(_KEPT)]
    said = kept or [f"{_KEPT} {before.read_utc}: a later look found less"]
    changes = {
        "coverage": before.coverage,
        "gateway": before.gateway,
        "functions": _with_lines(now, before).functions,
        "notes": list(dict.fromkeys([*before.notes, *said])),
    }
    return now.model_copy(update=changes)


def _with_lines(other: LoadTelemetry, part: LoadTelemetry) -> LoadTelemetry:
    """`part` with what REPORT lines told the `other` look, where they told this one less."""
    known = {(one.function, one.qualifier): one.reports for one in other.functions}
    found = (known.get((one.function, one.qualifier)) for one in part.functions)
    changes: dict[str, object] = {
        "functions": [
            one.model_copy(update={"reports": more}) if _is_more(more, one.reports) else one
            for one, more in zip(part.functions, found, strict=True)
        ]
    }
    if not part.logs:
        changes |= {"logs": other.logs, "sampled_share": other.sampled_share}
    return part.model_copy(update=changes)


def _is_more(there: ReportTotals | None, here: ReportTotals | None) -> bool:
    return there is not None and (here is None or here.lines < there.lines)
