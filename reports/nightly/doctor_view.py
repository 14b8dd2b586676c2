"""What the doctor found, on a terminal within 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.figures import ABSENT
from reports.nightly.doctor_advice import percent
from reports.nightly.doctor_document import Alarms, DoctorDocument, FigureHealth

if TYPE_CHECKING:
    from rich.table import Table

    from core.console import Console

_COLUMNS_OF_NAMES = 30


def show_doctor(console: Console, document: DoctorDocument) -> None:
    """How many alarms are false, what each figure can find, and what to change."""
    console.show(f"{document.plan}: {_nights(document)} in {document.history}")
    for problem in document.history_problems:
        console.show(f"  could not read {problem}")
    if document.nights_missing:
        needed = document.nights + document.nights_missing
        console.show(f"INCONCLUSIVE: {_more(document.nights_missing)} needed, {needed} in all")
        return
    console.show(
        f"{document.judged_nights} of them have enough nights before them, and were judged again "
        "as if nothing had changed"
    )
    for what, alarms in (("suspected", document.suspected), ("failed", document.failed)):
        if alarms is not None:
            console.show(f"  {what + ':':10} {alarms_words(alarms)}")
    console.show(f"  {'asked for:':10} {_asked(document)}")
    console.show("")
    console.show(_table(document))
    console.show(
        "Nights differ by one standard deviation; sampling is the part of the variance that more "
        "requests lower. 1 night and 2 nights: the smallest step that is found with 80 % power by "
        "then."
    )
    for sentence in document.advice:
        console.show(f"- {sentence}")


def _nights(document: DoctorDocument) -> str:
    if not document.nights:
        return "no night with a figure"
    branch = f" of {document.branch}" if document.branch else ""
    if document.nights == 1:
        return f"1 night{branch}, {document.first_night},"
    return f"{document.nights} nights{branch}, {document.first_night} to {document.last_night},"


def _more(nights: int) -> str:
    return "1 more night is" if nights == 1 else f"{nights} more nights are"


def alarms_words(alarms: Alarms) -> str:
    """`1.3 false alarms a month (0.2 to 4.1), 2 nights`."""
    low, high = alarms.a_month_interval
    nights = f"{alarms.nights:.1f}".removesuffix(".0")
    unit = "night" if nights == "1" else "nights"
    return f"{alarms.a_month:.1f} a month ({low:.1f} to {high:.1f}), {nights} {unit}"


def _asked(document: DoctorDocument) -> str:
    month = document.family_error * document.nights_a_month
    return f"at most {month:.1f} suspected a month ({percent(document.family_error)} of nights)"


def _table(document: DoctorDocument) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    table.add_column("figure", overflow="fold", max_width=_COLUMNS_OF_NAMES)
    for name in ("nights\ndiffer", "samp-\nling", "floor", "1 night", "2 nights", "sus-\npected"):
        table.add_column(name, justify="right", no_wrap=True)
    for figure in document.figures:
        table.add_row(
            str(figure.series),
            percent(figure.night_sd_share),
            _or_absent(figure.sampling_share),
            percent(figure.floor_share),
            _found(figure, figure.smallest_first_night),
            _found(figure, figure.smallest_two_nights),
            str(figure.suspected_nights) if figure.noise_limit_share is not None else ABSENT,
        )
    return table


def _or_absent(share: float | None) -> str:
    return ABSENT if share is None else percent(share)


def _found(figure: FigureHealth, share: float | None) -> str:
    """A step as it is shown; a figure that was judged and finds none says so."""
    if share is not None:
        return percent(share)
    return ABSENT if figure.noise_limit_share is None else "none"
