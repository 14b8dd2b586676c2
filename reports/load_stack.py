"""What became of the requests of a run as layers of a stack: ok, failed, refused by cause.

A cause looks the same in every run: the hue says that requests were refused, the hatch by what.
"""

from __future__ import annotations

from collections.abc import Sequence

from reports import svg
from reports.hatch import Fill, Hatch
from reports.load_bins import Bin
from reports.load_words import cause_word
from reports.time_chart import Layer

_OK = Fill("c-admitted", svg.ADMITTED)
_FAILED = Fill("c-broken", svg.FAILED)

# What has no hatch of its own is one layer, "other causes".
_HATCHES: dict[str, Hatch] = {
    "stage": "upright",
    "method": "rising",
    "usage_plan": "level",
    "usage_plan_method": "cross",
    "quota": "dots",
    "lambda_concurrency": "falling",
    "account": "zigzag",
}
_OTHER = "other"
# Nothing says who refused these, so they have no part in the hue of the causes.
_UNNAMED = ("throttle", "unknown", "none")


def stack_of(bins: Sequence[Bin]) -> list[Layer]:
    """Admitted requests at the bottom, then failed ones, then refused ones by cause."""
    layers = [Layer("ok", [entry.ok_rps for entry in bins], _OK)]
    failed = [entry.failed_rps for entry in bins]
    if any(failed):
        layers.append(Layer("failed", failed, _FAILED))
    sums: dict[str, list[float]] = {}
    for index, entry in enumerate(bins):
        for cause, value in entry.throttled_rps.items():
            sums.setdefault(_layer_of(cause), [0.0] * len(bins))[index] += value
    ranked = sorted(sums.items(), key=lambda item: (-sum(item[1]), item[0]))
    return layers + [Layer(_layer_name(key), values, fill_of(key)) for key, values in ranked]


def _layer_of(cause: str) -> str:
    if cause in _HATCHES:
        return cause
    return "unknown" if cause in _UNNAMED else _OTHER


def _layer_name(layer: str) -> str:
    if layer == _OTHER:
        return "throttled: other causes"
    return f"throttled: {'cause unknown' if layer == 'unknown' else cause_word(layer)}"


def fill_of(layer: str) -> Fill:
    """How what a cause refused looks: never solid, as what was admitted is."""
    if layer == "unknown":
        return Fill("c-unnamed", svg.UNNAMED, svg.MUTED, "rising")
    return Fill("c-refused", svg.REFUSED, svg.REFUSED_LINE, _HATCHES.get(layer, "dashes"))
