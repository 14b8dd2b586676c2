"""The parts of the median request where only CloudWatch tells more than the client knows.

Differences of medians of the whole window, so fewer parts, and none for the slowest requests:
percentiles of metrics are of other requests than the slowest responses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from loadgen.waterfall.groups import residual_ms, time_parts
from loadgen.waterfall.split import ROUNDING_MS
from reports.load_waterfall import PartName, TimeGroup

# A gateway cannot take longer than a client waits for it. Metrics that say so have other requests
# in them; a tenth more may be the two medians' noise.
_MOST_BEYOND = 1.1


@dataclass(frozen=True, slots=True)
class MetricMedians:
    """Medians of a window, in ms: AWS/ApiGateway Latency and IntegrationLatency, Lambda Duration.

    `integration_ms` is only of use where all requests have one, `duration_ms` where one function is
    behind all of them.
    """

    latency_ms: float
    integration_ms: float | None = None
    duration_ms: float | None = None


def split_median(group: TimeGroup, medians: MetricMedians) -> TimeGroup | None:
    """`group` with the part behind the client split; None where the metrics do not fit it."""
    means: dict[PartName, float] = {part.part: part.mean_ms for part in group.parts}
    wait_ms = means.pop("network_api_function", None)
    chain = _chain(medians)
    if wait_ms is None or not _fits([wait_ms, *(value for _, value in chain)]):
        return None
    inner = [value for _, value in chain[1:]] + [0.0]
    split: dict[PartName, float] = {"network": wait_ms - chain[0][1]}
    for (name, outer_ms), inner_ms in zip(chain, inner, strict=True):
        split[name] = outer_ms - inner_ms
    means |= split
    return group.model_copy(
        update={
            "parts": time_parts(means, group.response_ms, frozenset(split)),
            "residual_ms": residual_ms(means, group.response_ms),
        }
    )


def _chain(medians: MetricMedians) -> list[tuple[PartName, float]]:
    """Lengths from the outside to the inside, each with the name of what it has beyond the next."""
    if medians.integration_ms is None:
        return [("gateway_function", medians.latency_ms)]
    if medians.duration_ms is None:
        return [
            ("gateway", medians.latency_ms),
            ("integration_function", medians.integration_ms),
        ]
    return [
        ("gateway", medians.latency_ms),
        ("integration", medians.integration_ms),
        ("handler", medians.duration_ms),
    ]


def _fits(lengths_ms: Sequence[float]) -> bool:
    pairs = pairwise(lengths_ms)
    return all(inner <= outer * _MOST_BEYOND + ROUNDING_MS for outer, inner in pairs)
