"""What several runs on one page say together: the verdict over all, and how they belong together.

A tuning and a load run meet where the load run's steps call the tuned function; load runs meet
where they ran the same profile; a probe and a load run where they went to the same API. Every
sentence is made from the documents alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

from reports import limits_words, load_findings, tune_findings
from reports.document import TuneDocument
from reports.endpoint import is_loopback
from reports.figures import (
    ABSENT,
    listed,
    megabytes,
    milliseconds,
    moment,
    part_of,
    rate,
    rate_number,
)
from reports.kinds import Document
from reports.limits_document import LimitsDocument
from reports.load_document import CalledFunction, LoadDocument
from reports.load_words import cause_phrase, totals_of
from reports.nightly.document import NightlyDocument
from reports.nightly_page import night_words
from reports.tune_saving import saving_sentence

# From the worst down: the verdict over all runs is that of the worst.
_SEVERITY = ("invalid", "error", "failed", "refused", "interrupted", "inconclusive", "pass")
_WORDS = {
    "invalid": "Invalid measurement",
    "error": "Error",
    "failed": "Failed",
    "refused": "Stopped by a guard",
    "interrupted": "Interrupted",
    "inconclusive": "Inconclusive",
    "pass": "Passed",
}
_MOST_STEPS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Point:
    """What one run found, and where on the page it says more."""

    anchor: str
    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Story:
    """The head of a page of several runs, as text."""

    tone: str
    verdict_word: str
    validity_line: str
    headline: str
    points: Sequence[Point]
    links: Sequence[str]


def story_of(placed: Sequence[tuple[str, Document]]) -> Story:
    """The story of runs with their anchors on the page, in the order of the page."""
    documents = [document for _, document in placed]
    worst = min((_verdict(document) for document in documents), key=_SEVERITY.index)
    return Story(
        tone={"refused": "none", "error": "failed"}.get(worst, worst),
        verdict_word=_WORDS[worst],
        validity_line=_validity(documents),
        headline=_headline(documents),
        points=[
            Point(anchor, name, _sentence(document))
            for (anchor, document), name in zip(placed, names_of(documents), strict=True)
        ],
        links=list(_links(documents)),
    )


def _verdict(document: Document) -> str:
    verdict = "failed" if document.verdict == "fail" else document.verdict
    return verdict if verdict in _SEVERITY else "inconclusive"


def name_of(document: Document) -> str:
    """What a run is of: a function, a profile, the API whose limits were probed, or a night."""
    if isinstance(document, TuneDocument):
        return document.function.name
    if isinstance(document, NightlyDocument):
        return night_words.night_name(document)
    return f"limits of {document.name}" if isinstance(document, LimitsDocument) else document.name


def names_of(documents: Sequence[Document]) -> list[str]:
    """Names that tell the runs of a page apart: with the start where a name stands twice."""
    names = [name_of(document) for document in documents]
    return [
        f"{name}, {moment(document.provenance.started_utc)}" if names.count(name) > 1 else name
        for name, document in zip(names, documents, strict=True)
    ]


def _validity(documents: Sequence[Document]) -> str:
    named = list(zip(names_of(documents), documents, strict=True))
    invalid = [name for name, document in named if _is_invalid(document)]
    if invalid:
        return f"Do not trust the figures of {listed(invalid)}: measured invalidly."
    partial = [name for name, document in named if _verdict(document) == "interrupted"]
    rest = f"; {listed(partial)} ended early" if partial else ""
    return f"{_all(len(documents))} measured validly{rest}."


def _is_invalid(document: Document) -> bool:
    """Whether a run's figures cannot be trusted, whatever else ended it or failed."""
    if isinstance(document, LoadDocument) and document.validity.verdict == "invalid":
        return True
    if isinstance(document, NightlyDocument) and night_words.invalid_gates(document):
        return True
    return _verdict(document) == "invalid"


def _all(count: int) -> str:
    return "Both runs" if count == 2 else f"All {count} runs"


def _headline(documents: Sequence[Document]) -> str:
    parts = [
        _tunings_words([one for one in documents if isinstance(one, TuneDocument)]),
        _loads_words([one for one in documents if isinstance(one, LoadDocument)]),
        _probes_words([one for one in documents if isinstance(one, LimitsDocument)]),
        _nights_words([one for one in documents if isinstance(one, NightlyDocument)]),
    ]
    text = "; ".join(part for part in parts if part)
    return f"{text[:1].upper()}{text[1:]}."


def _tunings_words(tunings: Sequence[TuneDocument]) -> str:
    if not tunings:
        return ""
    moved = [f"{one.function.name} to {_taken(one)}" for one in tunings if _should_move(one)]
    open_ones = sum(one.recommendation is None or one.verdict != "pass" for one in tunings)
    words = "no function should change size"
    if moved and len({one.function.name for one in tunings}) < len(tunings):
        # A function that was tuned twice is no second function.
        say = "says" if len(moved) == 1 else "say"
        words = f"{len(moved)} of {len(tunings)} tunings {say} to change the size ({listed(moved)})"
    elif moved:
        words = f"{_of_all(len(moved), len(tunings))} should change size ({listed(moved)})"
    return f"{words}, {open_ones} without an answer yet" if open_ones else words


def _of_all(some: int, count: int) -> str:
    if count == 1:
        return "the function"
    if some == count:
        return "both functions" if count == 2 else f"all {count} functions"
    return f"{some} of {count} functions"


def _should_move(tuning: TuneDocument) -> bool:
    taken = tuning.recommendation
    return (
        tuning.verdict == "pass"
        and taken is not None
        and taken.memory_mb != tuning.current.memory_mb
        and tune_findings.asks_for_a_change(tuning, taken)
    )


def _taken(tuning: TuneDocument) -> str:
    taken = tuning.recommendation
    return ABSENT if taken is None else megabytes(taken.memory_mb)


def _loads_words(loads: Sequence[LoadDocument]) -> str:
    if not loads:
        return ""
    passed = [load for load in loads if load.verdict == "pass"]
    judged = any(load.thresholds for load in loads)
    what = "keeps its thresholds" if judged else "completed"
    if len(loads) == 1:
        if passed:
            return f"the load run {what}"
        return f"the load run: {load_findings.verdict_word(loads[0]).lower()}"
    plural = "keep their thresholds" if judged else "completed"
    if len(passed) == len(loads):
        return f"{'both' if len(loads) == 2 else f'all {len(loads)}'} load runs {plural}"
    invalid = sum(load.verdict == "invalid" for load in loads)
    beside = f", {invalid} {'is' if invalid == 1 else 'are'} invalid" if invalid else ""
    return f"{len(passed)} of {len(loads)} load runs {plural if len(passed) != 1 else what}{beside}"


def _probes_words(probes: Sequence[LimitsDocument]) -> str:
    found = [probe for probe in probes if probe.finding.rate_rps is not None]
    if not found:
        return "no limit was found" if probes else ""
    told = [
        f"{probe.name} {rate(value)}"
        for probe in found
        if (rps := probe.finding.rate_rps) and (value := rps.value) is not None
    ]
    return f"limits found: {listed(told)}" if told else f"{len(found)} limits found"


def _nights_words(nights: Sequence[NightlyDocument]) -> str:
    if not nights:
        return ""
    failed = [one.night for one in nights if one.verdict == "failed"]
    passed = sum(one.verdict == "pass" for one in nights)
    if len(nights) == 1:
        return f"the night: {night_words.verdict_word(nights[0]).lower()}"
    if failed:
        return f"{len(failed)} of {len(nights)} nights failed ({listed(failed)})"
    return f"{passed} of {len(nights)} nights passed"


def _sentence(document: Document) -> str:
    if isinstance(document, NightlyDocument):
        return night_words.headline(document)
    if isinstance(document, TuneDocument):
        return tune_findings.headline(document)
    if isinstance(document, LoadDocument):
        return load_findings.headline(document)
    return limits_words.headline(document)


def _links(documents: Sequence[Document]) -> Iterator[str]:
    """How runs on the page belong together."""
    loads = [one for one in documents if isinstance(one, LoadDocument)]
    for tuning in documents:
        if isinstance(tuning, TuneDocument):
            yield from _called(tuning, loads)
    yield from _disagreeing([one for one in documents if isinstance(one, TuneDocument)])
    for probe in documents:
        if isinstance(probe, LimitsDocument):
            yield from _met(probe, loads)
    for runs in _same_profile(documents):
        yield from (_between(before, after) for before, after in pairwise(runs))


def _disagreeing(tunings: Sequence[TuneDocument]) -> Iterator[str]:
    """Functions whose tunings recommend sizes that are not as good as each other."""
    answered = [one for one in tunings if one.verdict == "pass" and one.recommendation is not None]
    for asked in dict.fromkeys(_asked_of(one) for one in answered):
        name, of_name = asked[0], [one for one in answered if _asked_of(one) == asked]
        sizes = [one.recommendation.memory_mb for one in of_name if one.recommendation]
        if all(
            mb in (one.recommendation.memory_mb, *one.recommendation.tied_mb)
            for one in of_name
            if one.recommendation
            for mb in sizes
        ):
            continue
        yield (
            f"The {len(of_name)} tunings of {name} do not agree: they recommend "
            f"{listed([megabytes(mb) for mb in sizes])}. Repeat it (--thorough) before you set "
            "one; `tune compare` tells what differs."
        )


def _asked_of(tuning: TuneDocument) -> tuple[str, str, str]:
    """Function and objective: tunings with other objectives may well have other answers."""
    taken, slo = tuning.recommendation, tuning.slo
    limit = "" if slo is None else f"p{slo.percentile:g} < {slo.limit_ms:g} ms"
    return tuning.function.name, "" if taken is None else taken.objective, limit


def _called(tuning: TuneDocument, loads: Sequence[LoadDocument]) -> Iterator[str]:
    """Which load runs met the function, at which size, and what the tuning says of that."""
    met: dict[tuple[int, str], list[str]] = {}
    for load in loads:
        for function in load.functions:
            if function.name == tuning.function.name:
                key = (function.memory_mb, _steps(load, function))
                met.setdefault(key, []).append(load.name)
    for (memory_mb, steps), names in met.items():
        runs = f"load run {names[0]}" if len(names) == 1 else f"{len(names)} load runs"
        yield (
            f"{tuning.function.name} answered {steps} in the {runs} with {megabytes(memory_mb)}: "
            f"{_advice(tuning, memory_mb)}"
        )


def _steps(load: LoadDocument, function: CalledFunction) -> str:
    names = [load.steps[index].name for index in function.steps if index < len(load.steps)]
    if not names:
        return "requests"
    if len(names) > _MOST_STEPS_NAMED:
        return f"{len(names)} steps"
    return listed(names)


def _advice(tuning: TuneDocument, memory_mb: int) -> str:
    taken = tuning.recommendation
    if taken is None or tuning.verdict != "pass":
        return "its tuning has no answer yet."
    if memory_mb == taken.memory_mb:
        return "the size that its tuning recommends."
    if memory_mb in taken.tied_mb:
        return f"as good as the {_taken(tuning)} that its tuning recommends."
    if memory_mb == tuning.current.memory_mb and taken.saving is not None:
        return f"with {_taken(tuning)}, an invocation {saving_sentence(taken.saving)}."
    return f"its tuning recommends {_taken(tuning)}."


def _met(probe: LimitsDocument, loads: Sequence[LoadDocument]) -> Iterator[str]:
    """What the load runs at the probed API met of the limit that the probe found."""
    found = probe.finding.rate_rps
    if found is None or found.value is None:
        return
    for load in loads:
        if _target(load) != _target(probe):
            continue
        refused = totals_of(load.throttled_by_cause)
        most = f", most by {cause_phrase(refused[0].cause)}" if refused else ""
        share = part_of(load.outcomes.throttled, load.requests.completed)
        yield (
            f"The probe of {probe.name} found {rate(found.value)}; the load run {load.name} "
            f"offered {rate(load.rates.offered_rps)} to the same API and had {share} refused{most}."
        )


def _same_profile(documents: Sequence[Document]) -> list[list[LoadDocument]]:
    """Load runs of one profile against one target, oldest first; those that ran once are not."""
    groups: dict[tuple[str, str, str], list[LoadDocument]] = {}
    for document in documents:
        if isinstance(document, LoadDocument):
            run = document.provenance
            key = (document.name, _target(document), run.profile_file)
            groups.setdefault(key, []).append(document)
    several = [runs for runs in groups.values() if len(runs) > 1]
    return [sorted(runs, key=lambda one: one.provenance.started_utc) for runs in several]


def _target(document: LoadDocument | LimitsDocument) -> str:
    """What requests went to; a sandbox of this machine has another port each time."""
    url = document.target.url
    return urlsplit(url).path if is_loopback(url) else url


def _between(before: LoadDocument, after: LoadDocument) -> str:
    """What became of the p95 between two runs, without a claim about why."""
    old, new = before.ok_response_ms, after.ok_response_ms
    if old is None or new is None:
        return (
            f"{after.name}: one of its runs has no ok response, so they have no times to compare."
        )
    return (
        f"From one run of {after.name} to the next, p95 of ok responses went from "
        f"{milliseconds(old.p95)} to {milliseconds(new.p95)} and the admitted rate from "
        f"{rate_number(load_findings.admitted_rps(before))} to "
        f"{rate(load_findings.admitted_rps(after))}: `reports compare` tells whether that is more "
        "than chance."
    )
