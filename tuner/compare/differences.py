"""What differs between two runs besides their durations, and what that means; pure."""

from __future__ import annotations

from collections.abc import Iterator

from reports.compare_document import Difference
from reports.document import TuneDocument
from reports.endpoint import is_loopback
from reports.figures import megabytes, unit_price

_SHOWN_HASH = 12


def differences(before: TuneDocument, after: TuneDocument) -> list[Difference]:
    """What somebody has to know before any figure; what matters most is first."""
    return [
        *_validity(before, after),
        *_place(before, after),
        *_function(before, after),
        *_question(before, after),
        *_money(before, after),
    ]


def _validity(before: TuneDocument, after: TuneDocument) -> Iterator[Difference]:
    """Not quite a difference when both are invalid, but what has to be known first."""
    if "invalid" in (before.verdict, after.verdict):
        yield Difference(
            what="verdict",
            before=before.verdict,
            after=after.verdict,
            meaning="an invalid measurement tells nothing",
            comparable=False,
        )


def _place(before: TuneDocument, after: TuneDocument) -> Iterator[Difference]:
    first, second = before.provenance.endpoint, after.provenance.endpoint
    if first != second and (first is None or second is None or _kind(first) != _kind(second)):
        yield Difference(
            what="where it ran",
            before=_kind(first),
            after=_kind(second),
            meaning="a model of CPU and AWS itself are not compared",
            comparable=False,
        )
    if before.function.region != after.function.region:
        yield Difference(
            what="region",
            before=before.function.region,
            after=after.function.region,
            meaning="hosts, prices, and the way to what the function calls may differ",
        )


def _kind(endpoint: str | None) -> str:
    if endpoint is None:
        return "AWS"
    return "the local sandbox" if is_loopback(endpoint) else "a custom endpoint"


def _function(before: TuneDocument, after: TuneDocument) -> Iterator[Difference]:
    first, second = before.function, after.function
    if first.name != second.name:
        yield Difference(
            what="function",
            before=first.name,
            after=second.name,
            meaning="two functions are compared, not two states of one",
        )
    elif first.account != second.account and None not in (first.account, second.account):
        yield _plain("account", first.account, second.account)
    if first.code_sha256 != second.code_sha256:
        yield Difference(
            what="code",
            before=first.code_sha256[:_SHOWN_HASH],
            after=second.code_sha256[:_SHOWN_HASH],
            meaning="",
        )
    yield from _changed("runtime", first.runtime or "container", second.runtime or "container")
    if first.arch != second.arch:
        yield Difference(
            what="architecture",
            before=first.arch,
            after=second.arch,
            meaning="costs are by the prices of each",
        )
    yield from _changed(
        "memory in use",
        megabytes(before.current.memory_mb),
        megabytes(after.current.memory_mb),
    )
    yield from _changed("timeout", f"{first.timeout_s} s", f"{second.timeout_s} s")
    # Each function has fingerprints of its own: those of two say nothing.
    hashes = first.settings_fingerprint, second.settings_fingerprint
    if first.arn == second.arn and None not in hashes and hashes[0] != hashes[1]:
        yield Difference(
            what="settings",
            before=str(hashes[0])[:_SHOWN_HASH],
            after=str(hashes[1])[:_SHOWN_HASH],
            meaning="environment, layers, role, network, timeout or others",
        )
    yield from _changed(
        "ephemeral storage",
        megabytes(first.ephemeral_storage_mb),
        megabytes(second.ephemeral_storage_mb),
    )


def _question(before: TuneDocument, after: TuneDocument) -> Iterator[Difference]:
    first, second = before.provenance, after.provenance
    if first.payload_sha256 != second.payload_sha256:
        yield Difference(
            what="payload",
            before=f"{first.payload_sha256[:_SHOWN_HASH]} ({first.payload_bytes} bytes)",
            after=f"{second.payload_sha256[:_SHOWN_HASH]} ({second.payload_bytes} bytes)",
            meaning="other work may take another time: what follows may be the payload's doing",
        )
    yield from _changed("plan", first.plan, second.plan)
    yield from _changed("objective", objective_of(before), objective_of(after))
    if first.parallel != second.parallel:
        yield Difference(
            what="sizes invoked at once",
            before=str(first.parallel),
            after=str(second.parallel),
            meaning="what the function calls may be slower when several call it",
        )
    yield from _changed("toolkit", first.tool_version, second.tool_version)


def _money(before: TuneDocument, after: TuneDocument) -> Iterator[Difference]:
    first, second = before.prices, after.prices
    if before.function.arch != after.function.arch or before.function.region != (
        after.function.region
    ):
        return
    if (first.gb_second_usd, first.request_usd) != (second.gb_second_usd, second.request_usd):
        yield Difference(
            what="prices",
            before=f"{unit_price(first.gb_second_usd)} a GB-s ({first.table_date})",
            after=f"{unit_price(second.gb_second_usd)} a GB-s ({second.table_date})",
            meaning="costs of both runs are by the later run's prices",
        )


def objective_of(document: TuneDocument) -> str:
    """What a run was asked for, in a few words."""
    taken, slo = document.recommendation, document.slo
    if slo is not None:
        return f"p{slo.percentile:g} < {slo.limit_ms:g} ms"
    if taken is None:
        return "no answer"
    if taken.weight is not None:
        return f"{taken.objective}, weight {taken.weight:g}"
    if taken.knee_share is not None:
        return f"{taken.objective}, {taken.knee_share:.0%}"
    return taken.objective


def _changed(what: str, before: str, after: str) -> Iterator[Difference]:
    if before != after:
        yield _plain(what, before, after)


def _plain(what: str, before: str | None, after: str | None) -> Difference:
    return Difference(what=what, before=str(before), after=str(after), meaning="")
