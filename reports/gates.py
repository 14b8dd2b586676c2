"""What a pipeline wants to know of runs: each gate, whether it holds, and the figures behind that.

A gate that could not be judged is no pass and no failure, and gates of an invalid measurement say
nothing: both have a status of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.document import SizeResult, TuneDocument
from reports.figures import megabytes, milliseconds
from reports.gate import Gate, GateSuite, Status
from reports.kinds import Document, RunDocument
from reports.limits_document import LimitsDocument
from reports.limits_words import configured_words, layer_words
from reports.limits_words import headline as limits_headline
from reports.load_document import LoadDocument
from reports.load_findings import headline as load_headline
from reports.search_words import search_answer
from reports.several_document import SeveralDocument
from reports.threshold_gates import threshold_gate
from reports.tune_findings import headline as tune_headline

_WHOLE = "the run"
_ENDED = ("invalid", "interrupted", "refused", "error")
_KEPT: dict[str, Status] = {
    "met": "passed",
    "infeasible": "failed",
    "not separable": "inconclusive",
}
_ANSWERS: dict[str, Status] = {
    "agrees": "passed", "disagrees": "failed", "unknown": "inconclusive",
}  # fmt: skip


def gates_of(document: Document) -> GateSuite:
    """The gates of a run: first whether it can be trusted, then what it was held against."""
    if document.kind == "nightly":
        raise TypeError("a night has a suite for each step: suites_of")
    if document.kind == "load":
        name, found = document.name, _load_gates(document)
    elif document.kind == "limits":
        name, found = document.name, _limits_gates(document)
    else:
        name, found = document.function.name, _tune_gates(document)
    return GateSuite(
        name=f"{document.kind} {name}",
        kind=document.kind,
        gates=(_trusted(document), *found),
        properties=tuple(_properties(document)),
        started_utc=document.provenance.started_utc,
        finished_utc=document.provenance.finished_utc,
    )


def suites_of(documents: Sequence[Document]) -> list[GateSuite]:
    """The suites of runs: one for each, and of a night one for each of its steps."""
    found: list[GateSuite] = []
    for document in documents:
        if document.kind == "nightly":
            from reports.nightly.nightly_junit import nightly_suites

            found += nightly_suites(document)
        else:
            found.append(gates_of(document))
    return found


def unmeasured_gates(document: SeveralDocument) -> list[GateSuite]:
    """A suite of the functions that were to be tuned and were not; none where there are none."""
    gates = [
        Gate(
            result.name,
            "the function is tuned",
            "inconclusive" if result.verdict == "not begun" else "invalid",
            result.reason or result.verdict,
        )
        for result in document.functions
        if result.document is None
    ]
    gates += [
        Gate(skipped.name, "the function is tuned", "inconclusive", skipped.reason)
        for skipped in document.skipped
    ]
    properties = (("verdict", document.verdict), ("exit_code", str(document.exit_code)))
    suite = GateSuite("tune functions without an answer", "tune", tuple(gates), properties, "", "")
    return [suite] if gates else []


def _trusted(document: RunDocument) -> Gate:
    """Whether the measurement is complete and can be trusted."""
    text = "the measurement is valid"
    if document.verdict not in _ENDED:
        return Gate("validity", text, "passed", "")
    reasons = list(document.validity.reasons) if document.kind == "load" else []
    # Each reason once: the errors of a run repeat those that made it invalid.
    said = "; ".join(dict.fromkeys([*reasons, *document.errors])) or "no reason is given"
    return Gate("validity", text, "invalid", f"{document.verdict}: {said}")


def _load_gates(document: LoadDocument) -> Iterator[Gate]:
    if document.verdict == "failed" and not document.thresholds:
        yield Gate(_WHOLE, "a request is ok", "failed", load_headline(document))
    for threshold in document.thresholds:
        yield threshold_gate(threshold, document)
    if document.search is not None:
        search = document.search
        found = search.rate_rps is not None or search.ended == "holds_everywhere"
        broken = search.ended == "breaks_everywhere"
        status: Status = "failed" if broken else "passed" if found else "inconclusive"
        if document.verdict == "invalid":
            status = "invalid"
        slo = " and ".join(search.slo)
        yield Gate(search.phase, f"a rate holds {slo}", status, search_answer(search))


def _tune_gates(document: TuneDocument) -> Iterator[Gate]:
    where = document.function.name
    if document.slo is not None:
        slo = document.slo
        text = f"p{slo.percentile:g}(duration) < {slo.limit_ms:g} ms"
        kept = _or_invalid(_KEPT[slo.verdict], document)
        yield Gate(where, text, kept, _slo_message(document))
    status: Status = "passed"
    if document.recommendation is None:
        status = "failed" if document.verdict == "fail" and document.slo is None else "inconclusive"
    yield Gate(
        where, "a memory size is found", _or_invalid(status, document), tune_headline(document)
    )
    yield from (_size_gate(size, document) for size in document.sizes if size.failure)


def _or_invalid(status: Status, document: TuneDocument) -> Status:
    return "invalid" if document.verdict == "invalid" else status


def _slo_message(document: TuneDocument) -> str:
    """What was measured at the recommended size, or at that with the lowest percentile."""
    known = [size for size in document.sizes if size.slo is not None]
    taken = document.recommendation
    at = [size for size in known if taken is not None and size.memory_mb == taken.memory_mb]
    chosen = at or sorted(known, key=_quantile_ms)[:1]
    if not chosen or chosen[0].slo is None or document.slo is None:
        return "no size has enough samples"
    found = chosen[0].slo
    bounds = [
        f"{word} {milliseconds(bound)}"
        for word, bound in (("at least", found.lower_ms), ("at most", found.upper_ms))
        if bound is not None
    ]
    parts = [
        f"{megabytes(chosen[0].memory_mb)}: measured {milliseconds(found.quantile_ms)}",
        f"limit {document.slo.limit_ms:g} ms",
        *(f"{bound} with 95 %" for bound in bounds),
        f"n = {found.n:,}",
    ]
    return ", ".join(parts)


def _quantile_ms(size: SizeResult) -> float:
    return size.slo.quantile_ms if size.slo else 0.0


def _size_gate(size: SizeResult, document: TuneDocument) -> Gate:
    """A size that is out is no failure of the run: it is told, and skipped."""
    text = f"{megabytes(size.memory_mb)} can be measured"
    message = f"{size.failure}: {size.n_failed:,} failed calls, n = {size.n:,}"
    return Gate(document.function.name, text, "inconclusive", message)


def _limits_gates(document: LimitsDocument) -> Iterator[Gate]:
    found = document.finding.kind not in ("no_refusal", "unknown")
    # What ended early found a limit so far; what is invalid found none.
    open_ones = ("inconclusive", *_ENDED)
    status: Status = "passed" if found and document.verdict not in open_ones else "inconclusive"
    status = "invalid" if document.verdict == "invalid" else status
    where = document.probed.scenario
    yield Gate(where, "a limit is found", status, limits_headline(document))
    for one in document.comparisons:
        name = one.name if one.rate_rps is not None else layer_words(one.layer)
        message = f"configured {configured_words(one)}; {one.why}"
        kept: Status = "invalid" if document.verdict == "invalid" else _ANSWERS[one.answer]
        yield Gate(where, f"{name} is kept as configured", kept, message)


def _properties(document: RunDocument) -> Iterator[tuple[str, str]]:
    run = document.provenance
    yield "verdict", document.verdict
    yield "exit_code", str(document.exit_code)
    yield "tool_version", run.tool_version
    yield "run_id", run.run_id
    yield "command", " ".join(run.command)
    yield "seed", str(run.seed)
    commit = getattr(run, "git_commit", None)
    if commit:
        yield "git_commit", commit
    if document.kind == "tune":
        yield "function_arn", document.function.arn
        yield "region", document.function.region
        yield "code_sha256", document.function.code_sha256
        yield "prices", document.prices.table_date
        yield "payload_sha256", document.provenance.payload_sha256
    else:
        yield "target", document.target.url
        yield "profile_sha256", document.provenance.profile_sha256
        yield from (("region", region) for region in [document.target.region] if region)
    if run.endpoint:
        yield "endpoint", run.endpoint
