"""Versions of a function beside each other: a part of the document of a load run.

A version is known of requests that a log or a trace tells of. What Lambda throttled, and what never
reached the function, has none.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reports.blocks import Column, Table, TableRow
from reports.figures import ABSENT, closed, fixed, listed, milliseconds, part_of, significant

FailedVerdict = Literal["more", "fewer", "cannot be told apart", "too few"]
P95Verdict = Literal["slower", "faster", "cannot be told apart", "too few"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class VersionFigures(_Part):
    """The requests of a step that a version answered."""

    step: str
    version: str = Field(description="of the function; `canary` or `stage` where a stage has one")
    requests: int
    failed: int = Field(description="neither ok nor throttled")
    cold: int = Field(description="of those with a REPORT line or a trace")
    known_starts: int = Field(description="with a REPORT line or a trace")
    service_p50_ms: float | None = Field(
        description="of ok requests, from sending to the last byte"
    )
    service_p95_ms: float | None
    handler_p95_ms: float | None = Field(description="null where no log tells it")


class VersionDifference(_Part):
    """A version less another one, with an interval of 95 %; null where there are too few."""

    step: str
    version: str
    beside: str = Field(description="the version with the most requests of the step")
    failed_share: float | None
    failed_share_low: float | None
    failed_share_high: float | None
    p95_ms: float | None
    p95_low_ms: float | None
    p95_high_ms: float | None
    failed_verdict: FailedVerdict
    p95_verdict: P95Verdict


class VersionReport(_Part):
    """Versions of measured phases; `unknown` requests are of these steps and have none."""

    versions: list[VersionFigures]
    differences: list[VersionDifference]
    unknown: int
    requests: int = Field(description="of the steps that have versions")


def difference_sentence(one: VersionDifference) -> str:
    """What is known of a version beside another."""
    names, failed, p95 = difference_parts(one)
    return f"{names}: {failed}; {p95}"


def difference_parts(one: VersionDifference) -> tuple[str, str, str]:
    """Which versions are beside each other, how failures differ, and how p95 does."""
    names = f"{one.step}, {_name(one.version)} beside {_name(one.beside)}"
    return names, _failed_words(one), _p95_words(one)


def _name(version: str) -> str:
    return f"version {version}" if version.isdecimal() or version == "$LATEST" else version


def _failed_words(one: VersionDifference) -> str:
    if one.failed_share_low is None or one.failed_share_high is None:
        return "too few requests to compare failures"
    low, high = fixed(one.failed_share_low * 100, 2), fixed(one.failed_share_high * 100, 2)
    interval = f"{low} to {high} points"
    if one.failed_verdict == "cannot be told apart":
        return f"failures cannot be told apart ({interval})"
    return f"{one.failed_verdict} failures ({interval})"


def _p95_words(one: VersionDifference) -> str:
    if one.p95_low_ms is None or one.p95_high_ms is None:
        return "too few ok requests to compare p95"
    interval = f"{significant(one.p95_low_ms)} to {milliseconds(one.p95_high_ms)}"
    if one.p95_verdict == "cannot be told apart":
        return f"p95 cannot be told apart ({interval})"
    return f"{one.p95_verdict} at p95 ({interval})"


def unknown_sentence(report: VersionReport) -> str | None:
    """Of how many requests the version is not known."""
    if not report.unknown:
        return None
    share = part_of(report.unknown, report.requests)
    return (
        f"the version of {report.unknown:,} of {report.requests:,} requests is not known ({share})"
    )


def versions_table(report: VersionReport) -> Table:
    """A row for each version of each step; under it, how they differ."""
    columns = [
        Column("Step", is_text=True),
        Column("Version", is_text=True),
        Column("Requests"),
        Column("Failed"),
        Column("Cold"),
        Column("Service p50", "ms"),
        Column("Service p95", "ms"),
        Column("Handler p95", "ms"),
    ]
    rows = [TableRow(version_cells(one)) for one in report.versions]
    unknown = unknown_sentence(report)
    sentences = [difference_sentence(one) for one in report.differences]
    notes = [*sentences, *([unknown] if unknown else [])]
    steps = listed(list(dict.fromkeys(one.step for one in report.versions)))
    return Table(
        "Versions beside each other",
        columns,
        rows,
        help="Service times are those of ok requests; intervals are of 95 %.",
        lead=f"Logs name the version that answered {steps}.",
        notes=[closed(note) for note in notes],
    )


def version_cells(one: VersionFigures) -> list[str]:
    """The figures of a version as cells."""
    times = (one.service_p50_ms, one.service_p95_ms, one.handler_p95_ms)
    return [
        one.step,
        one.version,
        f"{one.requests:,}",
        part_of(one.failed, one.requests),
        part_of(one.cold, one.known_starts),
        *(ABSENT if value is None else significant(value) for value in times),
    ]
