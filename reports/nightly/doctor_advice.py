"""What would make alarms fewer, or changes easier to find: each sentence with its figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from shlex import quote

from reports.nightly.doctor_document import DoctorDocument, FigureHealth

# Figures that are named one by one; of more, how many there are.
_MOST_NAMED = 3
# A step found that is smaller by this part is worth four times the requests.
_WORTHWHILE = 0.2
# Of all suspicions, those of one figure, from which it is told by its name.
_MANY = 0.4
_FEWEST_SUSPICIONS = 3
# What the gate finds, in floors, from which the floor promises what noise does not let it keep.
_PROMISES = 1.5
# A floor may come down where noise asks for less than this part of it.
_ROOM_BELOW_FLOOR = 0.7
# Neighbouring nights that are this alike make more false alarms than independent ones.
_ALIKE = 0.4
_BAD_NIGHTS = 0.1
_FEWEST_FOR_ALIKE = 30
_OF_REQUESTS = ("p50", "p95", "p99")
_SAMPLED_METRICS = (*_OF_REQUESTS, "duration")


def advice_of(document: DoctorDocument) -> list[str]:
    """The sentences, what matters most first."""
    return [
        *_of_alarms(document),
        *_of_steps(document),
        *_of_power(document.figures),
        *_of_nights(document),
    ]


def _of_alarms(document: DoctorDocument) -> Iterator[str]:
    failed, suspected = document.failed, document.suspected
    if failed is None or suspected is None:
        return
    asked = document.family_error * document.nights_a_month
    if failed.a_month_interval[0] > asked:
        yield (
            f"more nights fail than the family error of {percent(document.family_error)} asks "
            f"for ({failed.a_month:.1f} a month for {asked:.1f}): nights are not alike; look at "
            "the figures with most suspicions first"
        )
    total = sum(figure.suspected_nights for figure in document.figures)
    for figure in document.figures:
        count = figure.suspected_nights
        if count >= _FEWEST_SUSPICIONS and count >= _MANY * total:
            yield (
                f"{figure.series}: {count} of {total} suspicions are its own; raise its floor, "
                f"now {percent(figure.floor_share)}, or take {figure.series.metric} out of the "
                "metrics of its step"
            )


def _of_steps(document: DoctorDocument) -> Iterator[str]:
    floors = {figure.series: figure.floor_share for figure in document.figures}
    unexplained = [
        step
        for step in document.steps
        if not step.accepted and abs(step.change_share) >= floors.get(step.series, 0.0)
    ]
    for step in unexplained[-_MOST_NAMED:]:
        place, series = quote(document.history), quote(str(step.series))
        yield (
            f"{step.series}: changed by {signed(step.change_share)} on {step.night}, and nobody "
            f"accepted it; as a new level: reports history accept {place} {step.night_id} --series "
            f"{series} --reason TEXT"
        )


def _of_power(figures: Sequence[FigureHealth]) -> Iterator[str]:
    weak = [figure for figure in figures if _is_weak(figure)]
    sampled = [figure for figure in weak if _helped_by_requests(figure)]
    if sampled:
        yield from _named(sampled, _more_requests)
    nightly = [figure for figure in weak if figure not in sampled and _is_known(figure)]
    if nightly:
        worst = max(nightly, key=lambda figure: figure.night_sd_share)
        yield (
            f"{_all_or_names(nightly, figures)}: nights themselves differ (by "
            f"{percent(worst.night_sd_share)} for {worst.series}), so that more requests help "
            "little; A/B pairs against a baseline version do, as what nights share cancels in them "
            "(baseline: of the step)"
        )
    unknown = [f for f in weak if f.sampling_share is None and f.series.metric in _SAMPLED_METRICS]
    if unknown:
        yield (
            f"{_all_or_names(unknown, figures)}: nights do not say how sure they are; a run "
            "needs eight blocks of time and more requests for that"
        )
    shared = [figure for figure in figures if figure.with_control_sd_share is not None]
    if shared:
        best = min(shared, key=lambda figure: figure.with_control_sd_share or 0.0)
        yield (
            f"{_all_or_names(shared, figures)}: endpoints move together; with what the others do "
            f"divided out, {best.series} would differ by {percent(best.with_control_sd_share)} "
            f"for {percent(best.night_sd_share)}: A/B pairs do that"
        )
    roomy = [figure for figure in figures if _has_room(figure)]
    yield from _named(roomy, _lower_floor)


def _of_nights(document: DoctorDocument) -> Iterator[str]:
    alike = [
        figure
        for figure in document.figures
        if figure.alike >= _ALIKE and figure.nights >= _FEWEST_FOR_ALIKE
    ]
    if alike:
        yield (
            f"{_all_or_names(alike, document.figures)}: a night resembles the one before "
            f"(correlation {max(f.alike for f in alike):.1f}), so that false alarms come in runs"
        )
    bad = [figure for figure in document.figures if figure.bad_nights_share > _BAD_NIGHTS]
    if bad:
        worst = max(bad, key=lambda figure: figure.bad_nights_share)
        yield (
            f"{_all_or_names(bad, document.figures)}: many nights are unlike the others "
            f"({percent(worst.bad_nights_share)} for {worst.series}): another hour, or a longer "
            "run, may be quieter"
        )
    if document.reruns_drawn:
        yield (
            f"no reruns are recorded for {document.reruns_drawn:,} of the suspicions: theirs were "
            "drawn from other nights, which knows nothing of what was particular about the night; "
            "real reruns clear fewer"
        )


def _is_weak(figure: FigureHealth) -> bool:
    """Whether it finds much less than its floor promises."""
    if figure.noise_limit_share is None:
        return False
    smallest = figure.smallest_two_nights
    return smallest is None or smallest > _PROMISES * figure.floor_share


def _is_known(figure: FigureHealth) -> bool:
    return figure.sampling_share is not None


def _helped_by_requests(figure: FigureHealth) -> bool:
    now, then = figure.smallest_two_nights, figure.with_four_times_requests
    if then is None:
        return False
    return now is None or then <= (1 - _WORTHWHILE) * now


def _more_requests(figure: FigureHealth) -> str:
    now = figure.smallest_two_nights
    found = "nothing" if now is None else percent(now)
    what = "requests" if figure.series.metric in _OF_REQUESTS else "calls"
    return (
        f"{figure.series}: {percent(figure.sampling_share)} of how its nights differ is too few "
        f"{what}; {4 * figure.requests:,} instead of {figure.requests:,} a night would find "
        f"{percent(figure.with_four_times_requests)} instead of {found}"
    )


def _has_room(figure: FigureHealth) -> bool:
    limit = figure.noise_limit_share
    return limit is not None and limit <= _ROOM_BELOW_FLOOR * figure.floor_share


def _lower_floor(figure: FigureHealth) -> str:
    return (
        f"{figure.series}: its noise would allow a floor of {percent(figure.noise_limit_share)}, "
        f"where it is {percent(figure.floor_share)} now"
    )


def _named(
    figures: Sequence[FigureHealth], sentence: Callable[[FigureHealth], str]
) -> Iterator[str]:
    yield from (sentence(figure) for figure in figures[:_MOST_NAMED])
    more = len(figures) - _MOST_NAMED
    if more > 0:
        names = "figure" if more == 1 else "figures"
        yield f"the same holds for {more} more {names}: see the table, or --json"


def _all_or_names(figures: Sequence[FigureHealth], everything: Sequence[FigureHealth]) -> str:
    if len(figures) == len(everything) > 1:
        return "all figures"
    if len(figures) > _MOST_NAMED:
        return f"{len(figures)} of {len(everything)} figures"
    return ", ".join(str(figure.series) for figure in figures)


def percent(share: float | None) -> str:
    """A share as people read it: 3.2 %, 14 %."""
    if share is None:
        return "unknown"
    return f"{100 * share:.1f} %" if abs(share) < 0.1 else f"{100 * share:.0f} %"


def signed(share: float) -> str:
    """A change as people read it: +12 %."""
    return f"{100 * share:+.1f} %" if abs(share) < 0.1 else f"{100 * share:+.0f} %"
