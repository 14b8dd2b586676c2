"""Latencies of a load run as histograms, whole and by blocks of time: parts of its document.

Histograms are those of HdrHistogram (V2, compressed with zlib, as base64): microseconds with three
digits, which other tools for HDR histograms read as well. `reports.histogram` decodes them.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from reports.histogram import Histogram, decoded


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LatencyBlock(_Part):
    """One of eight or more nearly equal blocks of the measured time.

    Those of a step are of the phases in which it was called.

    A request belongs to the block in which it was due. Blocks, not requests, are the unit of
    intervals: requests of one moment are slow together. Runs of less than eight seconds have a
    block for each second.
    """

    from_s: float
    to_s: float
    completed: int
    ok: int
    throttled: int
    failed: int = Field(description="completed, but neither ok nor throttled")
    ok_response: str | None = Field(
        description="response times of ok requests; null where none was ok"
    )


class RunHistograms(_Part):
    """Of all measured phases; null where there was no such request."""

    response: str | None = Field(description="of all completed requests")
    service: str | None
    ok_response: str | None
    blocks: list[LatencyBlock]


def ok_histograms(blocks: Sequence[LatencyBlock]) -> list[Histogram]:
    """The response times of ok requests by block; blocks without any are left out."""
    return [decoded(block.ok_response) for block in blocks if block.ok_response is not None]
