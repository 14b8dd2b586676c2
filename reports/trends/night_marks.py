"""What happened to a figure's step: changes, decisions, prices, versions, runtimes, profiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from reports.history.record import AlarmRecord, EventRecord, NightRecord, RunRecord, SeriesId
from reports.nightly.asked import alike, differences
from reports.nightly.document import TrendMark
from reports.regression.change_points import ChangePoint
from reports.trends.series_nights import SeriesNight
from reports.trends.trend_levels import Steps

_LONGEST = 80  # characters of a name with its values; of longer ones the name alone
_MOST_NAMES = 4


def marks_of_step(runs: Sequence[RunRecord], *, money: bool) -> Iterator[TrendMark]:
    """What changed between runs of a step, oldest first; prices only where a figure is `money`."""
    priced = [run for run in runs if run.prices is not None]
    for before, after in pairwise(priced if money else []):
        if before.prices != after.prices and after.prices is not None:
            yield _mark(after, "prices", f"prices of {after.prices.table_date}")
    for before, after in pairwise([run for run in runs if run.code_sha256]):
        if before.code_sha256 != after.code_sha256:
            yield _mark(after, "version", _new_code(before, after))
    for before, after in pairwise([run for run in runs if not run.code_sha256 and run.versions]):
        new = [version for version in after.versions if version not in before.versions]
        if new:
            yield _mark(after, "version", f"new version: {_listed(new)}")
    for before, after in pairwise([run for run in runs if run.runtime is not None]):
        if before.runtime != after.runtime:
            yield _mark(after, "runtime", f"{before.runtime} → {after.runtime}")
    for before, after in pairwise(runs):
        if not alike(before.key, after.key):
            yield _mark(after, "profile", _asked_otherwise(before, after))


def _mark(run: RunRecord, kind: str, text: str) -> TrendMark:
    return TrendMark.model_validate(
        {"night": run.night, "sequence": run.sequence, "kind": kind, "text": text}
    )


def _new_code(before: RunRecord, after: RunRecord) -> str:
    if before.versions and after.versions and before.versions != after.versions:
        changed = [
            f"{old} → {new}"
            for old, new in zip(before.versions, after.versions, strict=False)
            if old != new
        ]
        return f"new code: version {_listed(changed)}" if changed else "new code"
    return "new code"


def _asked_otherwise(before: RunRecord, after: RunRecord) -> str:
    """Names what differs between what two runs were asked for; values where they are short."""
    told = [
        text if len(text) <= _LONGEST else f"{text.partition(':')[0]}"
        for text in differences(before.asked, after.asked)
    ]
    if not told:
        old, new = before.key.model_dump(), after.key.model_dump()
        told = [name.removesuffix("_sha256") for name in old if old[name] != new[name]]
    return f"asked otherwise: {', '.join(told)}"


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - _MOST_NAMES
    return ", ".join(texts[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def marks_of_steps(nights: Sequence[SeriesNight], steps: Steps) -> Iterator[TrendMark]:
    """The changes of a figure that were found, with the commits between which they are."""
    for change in steps.found:
        yield _mark(nights[change.index].run, "change", change_text(nights, change))


def change_text(nights: Sequence[SeriesNight], change: ChangePoint) -> str:
    """A change in words: `+10.2 % (+8.1 to +12.3 %), 2026-10-03 to 2026-10-05, commits a..b`."""
    low, high = change.interval
    parts = [f"{_percent(change.change_share)} ({_percent(low)[:-2]} to {_percent(high)})"]
    first, last = nights[change.earliest].run, nights[change.latest].run
    if first.night != last.night:
        parts.append(f"between {first.night} and {last.night}")
    without, having = nights[change.earliest - 1].run.git_commit, last.git_commit
    if without and having and without != having:
        parts.append(f"commits {without[:7]}..{having[:7]}")
    return ", ".join(parts)


def _percent(share: float) -> str:
    return f"{100 * share:+.1f} %"


def marks_of_events(
    events: Sequence[EventRecord],
    series: SeriesId,
    alarms: Sequence[AlarmRecord],
    nights: Sequence[SeriesNight],
    steps: Steps,
) -> Iterator[TrendMark]:
    """Accepted changes and mutes of a figure, at the nights from which they hold."""
    counted = [night for night in nights if night.counts]
    for event in events:
        if not concerns(event, series, alarms):
            continue
        who = f" ({event.who})" if event.who else ""
        if event.action == "accept":
            at = accepted_from(event, alarms)
            place = sum(night.run.sequence < at for night in counted)
            change = steps.dated.get(place)
            size = f", {_percent(change.change_share)}" if change is not None else ""
            text, kind = f"accepted: {event.reason}{who}{size}", "accepted"
        elif event.action == "mute":
            until = f" until {event.until_utc[:10]}" if event.until_utc else ""
            at, text, kind = event.sequence, f"muted{until}: {event.reason}{who}", "mute"
        else:
            at, text, kind = event.sequence, f"no longer muted: {event.reason}{who}", "mute"
        run = next((night.run for night in nights if night.run.sequence >= at), None)
        if run is not None:
            yield _mark(run, kind, text)


def concerns(event: EventRecord, series: SeriesId, alarms: Sequence[AlarmRecord]) -> bool:
    """Whether an event is about a figure; one without a figure or an alarm is about all."""
    if event.series is not None:
        return event.series == series
    if event.alarm_id is not None:
        return any(one.alarm_id == event.alarm_id and one.series == series for one in alarms)
    return True


def accepted_from(event: EventRecord, alarms: Sequence[AlarmRecord]) -> int:
    """The sequence of the first night of an accepted level."""
    if event.from_sequence is not None:
        return event.from_sequence
    began = (one.since_sequence for one in alarms if one.alarm_id == event.alarm_id)
    return next(began, event.sequence)


def alarms_of(nights: Sequence[NightRecord]) -> list[AlarmRecord]:
    """All alarms of all nights."""
    return [alarm for night in nights for alarm in night.alarms]
