"""Two probes of limits compared: do their intervals of rate and burst overlap; pure."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from core.errors import ExitCode
from reports.compare_document import Difference
from reports.endpoint import is_loopback
from reports.figures import moment
from reports.limits_compare_document import (
    ComparedFact,
    ComparedProbe,
    ComparedQuantity,
    LimitsCompareDocument,
    LimitsCompareVerdict,
)
from reports.limits_document import LimitsDocument, Quantity
from reports.limits_words import KINDS, layer_words

_UNKNOWN_LAYERS = ("unclear", "unknown")
_UNKNOWN_KINDS = ("no_refusal", "unknown")
_SHOWN_HASH = 12
_BROKEN = ("invalid", "error", "refused")
_EXIT_CODES: dict[LimitsCompareVerdict, ExitCode] = {
    "same": ExitCode.PASS,
    "differs": ExitCode.FAILED,
    "cannot be told": ExitCode.INCONCLUSIVE,
    "not comparable": ExitCode.INCONCLUSIVE,
    "invalid": ExitCode.INVALID,
}


def compare_limits(
    before: LimitsDocument, after: LimitsDocument, names: tuple[str, str], *, forced: bool = False
) -> LimitsCompareDocument:
    """What both probes found, side by side; `names` are as they were given."""
    found = list(_differences(before, after))
    against = [one for one in found if not one.comparable]
    compared = not against or forced
    quantities = [_rate(before, after), _burst(before, after)] if compared else []
    named = [_kind(before, after), _layer(before, after)] if compared else []
    verdict = _verdict(quantities, named)
    errors: list[str] = []
    broken = [
        f"the {name} ended as {probe.verdict}"
        for name, probe in (("baseline", before), ("newer probe", after))
        if probe.verdict in _BROKEN
    ]
    if against and not forced:
        verdict = "not comparable"
        errors = [f"{one.what}: {one.before} -> {one.after}; {one.meaning}" for one in against]
    elif broken:
        verdict, errors = "invalid", broken
    return LimitsCompareDocument(
        verdict=verdict,
        exit_code=_EXIT_CODES[verdict],
        errors=errors,
        notes=_notes(before, after),
        forced=forced and bool(against),
        before=_probe(before, names[0]),
        after=_probe(after, names[1]),
        differences=found,
        quantities=quantities,
        named=named,
    )


def _verdict(quantities: list[ComparedQuantity], named: list[ComparedFact]) -> LimitsCompareVerdict:
    answers = [*(one.overlap for one in quantities), *(one.same for one in named)]
    if False in answers:
        return "differs"
    # The rate decides: a burst is often a range without a value.
    return "same" if quantities and quantities[0].overlap else "cannot be told"


def _rate(before: LimitsDocument, after: LimitsDocument) -> ComparedQuantity:
    pair = before.finding.rate_rps, after.finding.rate_rps
    return ComparedQuantity(
        what="rate", unit="requests/s", before=pair[0], after=pair[1], overlap=_overlap(*pair)
    )


def _burst(before: LimitsDocument, after: LimitsDocument) -> ComparedQuantity:
    pair = before.finding.burst, after.finding.burst
    return ComparedQuantity(
        what="burst", unit="requests", before=pair[0], after=pair[1], overlap=_overlap(*pair)
    )


def _overlap(first: Quantity | None, second: Quantity | None) -> bool | None:
    """Whether two intervals share a value; None where one is not known."""
    if first is None or second is None:
        return None
    ends = [inf if one.high is None else one.high for one in (first, second)]
    return max(first.low, second.low) <= min(ends)


def _kind(before: LimitsDocument, after: LimitsDocument) -> ComparedFact:
    kinds = before.finding.kind, after.finding.kind
    known = not any(kind in _UNKNOWN_KINDS for kind in kinds)
    return ComparedFact(
        what="kind of limit",
        before=KINDS[kinds[0]],
        after=KINDS[kinds[1]],
        same=kinds[0] == kinds[1] if known else None,
    )


def _layer(before: LimitsDocument, after: LimitsDocument) -> ComparedFact:
    layers = before.binding.layer, after.binding.layer
    known = not any(layer in _UNKNOWN_LAYERS for layer in layers)
    return ComparedFact(
        what="layer",
        before=layer_words(layers[0]),
        after=layer_words(layers[1]),
        same=layers[0] == layers[1] if known else None,
    )


def _differences(before: LimitsDocument, after: LimitsDocument) -> Iterator[Difference]:
    what = "a model of a gateway and AWS itself are not compared"
    yield from _changed("where it ran", (_place(before), _place(after)), what, comparable=False)
    regions = before.target.region or "not known", after.target.region or "not known"
    # A probe of a bare URL does not know its region.
    yield from _changed(
        "region", regions, "each has limits of its own", comparable="not known" in regions
    )
    what = "two routes may have two limits"
    yield from _changed("probed", (_route(before), _route(after)), what, comparable=False)
    keys = _key(before), _key(after)
    yield from _changed("API key", keys, "a usage plan limits its keys", comparable=False)
    targets = before.target.api_id or before.target.url, after.target.api_id or after.target.url
    yield from _changed("target", targets, "two APIs are compared")
    first, second = before.provenance, after.provenance
    hashes = first.profile_sha256[:_SHOWN_HASH], second.profile_sha256[:_SHOWN_HASH]
    yield from _changed("profile", hashes, "limits should not depend on it")
    yield from _changed("toolkit", (first.tool_version, second.tool_version), "")


def _place(probe: LimitsDocument) -> str:
    return "this machine" if is_loopback(probe.provenance.endpoint or probe.target.url) else "AWS"


def _route(probe: LimitsDocument) -> str:
    probed = probe.probed
    return f"{probed.method} {probed.path}, stage {probed.stage or 'none'}"


def _key(probe: LimitsDocument) -> str:
    return "with" if probe.probed.with_key else "without"


def _changed(
    what: str, values: tuple[str, str], meaning: str, *, comparable: bool = True
) -> Iterator[Difference]:
    before, after = values
    if before != after:
        yield Difference(
            what=what, before=before, after=after, meaning=meaning, comparable=comparable
        )


def _notes(before: LimitsDocument, after: LimitsDocument) -> list[str]:
    if after.provenance.started_utc < before.provenance.started_utc:
        return ["the second probe is the older one: changes are from the first to the second"]
    return []


def _probe(document: LimitsDocument, given: str) -> ComparedProbe:
    run = document.provenance
    return ComparedProbe(
        run=given,
        run_id=run.run_id,
        name=document.name,
        started_utc=run.started_utc,
        verdict=document.verdict,
        facts=[
            ("Run", given),
            ("Run id", run.run_id),
            ("Started", moment(run.started_utc)),
            ("Command", " ".join(run.command)),
            ("Tool version", run.tool_version),
            ("Profile SHA-256", run.profile_sha256),
            ("Target", document.target.url),
            ("Region", document.target.region or "not known"),
        ],
    )
