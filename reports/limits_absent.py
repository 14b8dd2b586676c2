"""Of a probe of limits: whether it can be trusted, and what would fill the parts it has not."""

from __future__ import annotations

from collections.abc import Iterator

from reports.figures import part_of
from reports.limits_document import LimitsDocument


def validity_line(document: LimitsDocument) -> str:
    """Whether the figures can be trusted, before any of them."""
    if document.verdict == "invalid":
        return (
            "Invalid: too many arrivals were dropped or cut, so that what was sent is not what was "
            "meant to be sent."
        )
    if document.verdict in ("interrupted", "error", "refused"):
        return "Valid as far as it went: the probe ended early, and this is what was found by then."
    lost, planned = document.counts.lost, document.counts.sent
    if lost is None:
        return "Valid: no more than 5 % of the arrivals were dropped or cut."
    return f"Valid: {part_of(lost, planned + lost)} of the arrivals were dropped or cut."


def absent_parts(document: LimitsDocument) -> list[tuple[str, str]]:
    """What this page could have and has not, and what would fill it."""
    return [*_without_a_curve(document), *_without_layers(document)]


def _without_a_curve(document: LimitsDocument) -> Iterator[tuple[str, str]]:
    bins, kind = document.bins, document.finding.kind
    if not bins:
        yield "Sent and admitted over time", "Nothing was sent: run loadgen limits again."
    elif bins[0].model is None:
        more = ""
        if kind == "no_refusal":
            more = ": a higher limits.max_rate in the profile may meet one"
        needs = "They need a limit with one rate and one burst, and this is not known to be one"
        yield "Residuals of the limit", f"{needs}{more}."
    elif bins[0].drift_low is None:
        needs = "It needs 90 % intervals of rate and burst, and a probe by this version"
        yield "What chance does to the residuals", f"{needs}: run loadgen limits again."


def _without_layers(document: LimitsDocument) -> Iterator[tuple[str, str]]:
    if not document.binding.tests and document.finding.kind not in ("no_refusal", "unknown"):
        fill = (
            "Scenarios that differ in one thing fill it: limits.method, limits.key and "
            "limits.stage in the profile name them."
        )
        yield "Who shares the limit", fill
    if not any(one.rate_rps is not None for one in document.comparisons):
        fill = (
            "The throttles of stage, plan and account fill it: a target that is an API of API "
            "Gateway, and permission apigateway:GET."
        )
        yield "What is configured", fill
    if document.account_quota is None:
        yield "The account's quota", "Permission servicequotas:GetServiceQuota fills it."
