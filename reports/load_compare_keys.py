"""What differs between two load runs besides their figures, and whether they can be compared.

Unlike keys are refused as pyperf does: another endpoint, region, model of load or profile is
another question. What may explain a change is listed, the most telling first.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff

from reports.compare_document import Difference
from reports.endpoint import is_loopback
from reports.figures import megabytes, rate
from reports.load_document import ConfiguredLimit, LoadDocument

_SHOWN_HASH = 12
_MOST_PROFILE_LINES = 40


def load_differences(before: LoadDocument, after: LoadDocument) -> list[Difference]:
    """What somebody has to know before any figure; what forbids a comparison is first."""
    found = [
        *_place(before, after),
        *_profile(before, after),
        *_target(before, after),
        *_generator(before, after),
    ]
    return sorted(found, key=lambda difference: difference.comparable)


def profile_changes(before: LoadDocument, after: LoadDocument) -> list[str]:
    """The lines of the profile that differ, as `- before` and `+ after`; at most forty."""
    first, second = before.provenance, after.provenance
    if first.profile_sha256 == second.profile_sha256:
        return []
    lines = unified_diff(
        first.profile_text.splitlines(), second.profile_text.splitlines(), lineterm="", n=0
    )
    changed = [
        f"{line[0]} {line[1:].rstrip()}" for line in list(lines)[2:] if not line.startswith("@@")
    ]
    more = len(changed) - _MOST_PROFILE_LINES
    return changed if more <= 0 else [*changed[:_MOST_PROFILE_LINES], f"and {more} more lines"]


def _place(before: LoadDocument, after: LoadDocument) -> Iterator[Difference]:
    first, second = _kind(before), _kind(after)
    if first != second:
        yield Difference(
            what="where it ran",
            before=first,
            after=second,
            meaning="a model of a gateway and AWS itself are not compared",
            comparable=False,
        )
    regions = before.target.region, after.target.region
    if regions[0] != regions[1]:
        yield Difference(
            what="region",
            before=regions[0] or "not known",
            after=regions[1] or "not known",
            meaning="other hosts, and another way to them",
            comparable=None in regions,
        )
    yield from _changed(
        "model of load",
        before.provenance.model,
        after.provenance.model,
        "a closed loop slows down with the target, so that latencies mean other things",
        comparable=False,
    )


def _kind(document: LoadDocument) -> str:
    """What answered: AWS, this machine, or a custom endpoint."""
    endpoint = document.provenance.endpoint
    if is_loopback(endpoint or document.target.url):
        return "this machine"
    return "AWS, or the target itself" if endpoint is None else f"the endpoint {endpoint}"


def _profile(before: LoadDocument, after: LoadDocument) -> Iterator[Difference]:
    first, second = before.provenance, after.provenance
    yield from _changed(
        "profile",
        f"{before.name}, {first.profile_sha256[:_SHOWN_HASH]}",
        f"{after.name}, {second.profile_sha256[:_SHOWN_HASH]}",
        "other requests or another schedule: a change may be the profile's doing",
        comparable=False,
    )
    yield from _changed(
        "environment of the profile",
        first.environment or "none chosen",
        second.environment or "none chosen",
        "other values, perhaps another target",
    )
    if first.model == second.model == "open":
        yield from _changed("arrivals", first.arrivals, second.arrivals, "queues form differently")
    for name, run in (("baseline", before), ("newer run", after)):
        if run.verdict == "interrupted":
            yield Difference(
                what="end",
                before="stopped early" if run is before else "as planned",
                after="stopped early" if run is after else "as planned",
                meaning=f"the {name} was stopped before its end, and has less of the schedule",
            )


def _target(before: LoadDocument, after: LoadDocument) -> Iterator[Difference]:
    first, second = before.target, after.target
    if (first.api_id or first.url) != (second.api_id or second.url):
        yield from _changed("target", _api(before), _api(after), "two APIs are compared")
    yield from _changed("stage", first.stage or "none", second.stage or "none", "")
    if first.account and second.account:
        yield from _changed("account", first.account, second.account, "other limits may apply")
    yield from _changed(
        "auth", ", ".join(first.auth) or "none", ", ".join(second.auth) or "none", ""
    )
    yield from _functions(before, after)
    yield from _limits(before, after)


def _api(document: LoadDocument) -> str:
    target = document.target
    return f"{target.api_name} ({target.api_id})" if target.api_name else target.url


def _functions(before: LoadDocument, after: LoadDocument) -> Iterator[Difference]:
    functions = {function.name: function for function in before.functions}
    for after_function in after.functions:
        known = functions.get(after_function.name)
        if known is None:
            continue
        yield from _changed(
            f"function {known.name}",
            f"{megabytes(known.memory_mb)}, {known.arch}, {known.timeout_s:g} s",
            f"{megabytes(after_function.memory_mb)}, {after_function.arch}, "
            f"{after_function.timeout_s:g} s",
            "memory, architecture and timeout change latencies and costs",
        )


def _limits(before: LoadDocument, after: LoadDocument) -> Iterator[Difference]:
    limits = {(limit.layer, limit.name): limit for limit in before.limits}
    for limit in after.limits:
        known = limits.get((limit.layer, limit.name))
        if known is not None:
            yield from _changed(
                f"limit of {limit.layer.replace('_', ' ')}, {limit.name}",
                _limit(known),
                _limit(limit),
                "more or fewer requests are refused",
            )


def _limit(limit: ConfiguredLimit) -> str:
    parts = [
        "" if limit.rate_rps is None else rate(limit.rate_rps),
        "" if limit.burst is None else f"burst {limit.burst:,}",
        "" if limit.quota is None else f"quota {limit.quota:,}",
        "" if limit.concurrency is None else f"{limit.concurrency:,} at once",
    ]
    return ", ".join(part for part in parts if part) or "none"


def _generator(before: LoadDocument, after: LoadDocument) -> Iterator[Difference]:
    first, second = before.provenance, after.provenance
    yield from _changed(
        "processes of the load generator",
        str(first.processes),
        str(second.processes),
        "connections are spread differently",
    )
    yield from _changed("toolkit", first.tool_version, second.tool_version, "")


def _changed(
    what: str, before: str, after: str, meaning: str, *, comparable: bool = True
) -> Iterator[Difference]:
    if before != after:
        yield Difference(
            what=what, before=before, after=after, meaning=meaning, comparable=comparable
        )
