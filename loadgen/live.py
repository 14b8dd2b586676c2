"""What a person sees while a run goes on: a table on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.console import Console
from loadgen.now import LATENCY_WINDOW_S, Now, now_of
from loadgen.tally import Tally
from loadgen.threshold_words import measured_words, state_word
from loadgen.thresholds import Rule
from reports.figures import SPACE, listed, percent, seconds, short_time
from reports.load_findings import threshold_words
from reports.load_words import cause_word

if TYPE_CHECKING:
    from rich.table import Table

LINE_EVERY_S = 5.0
_LINES_MOST = 10  # of a long run: one each tenth of it
_NONE = "-"

Update = Callable[[Tally, float], None]


@contextmanager
def live_view(console: Console, rules: Sequence[Rule], total_s: float) -> Iterator[Update]:
    """Gives what is to be called with the books and the time once a second."""
    if console.interactive:
        with console.live() as show:
            yield lambda tally, now_s: show(live_table(now_of(tally, rules, now_s, total_s)))
        return
    lines = _Lines(console, rules, total_s)
    yield lines.update


class _Lines:
    """A plain line every 5 seconds, or for each tenth of a long run."""

    def __init__(self, console: Console, rules: Sequence[Rule], total_s: float) -> None:
        self._console, self._rules, self._total_s = console, rules, total_s
        self._every_s = max(LINE_EVERY_S, total_s / _LINES_MOST)
        self._next_s = self._every_s

    def update(self, tally: Tally, now_s: float) -> None:
        if now_s < self._next_s or self._console.verbosity < 0:
            return
        self._next_s = (now_s // self._every_s + 1) * self._every_s
        self._console.say(live_line(now_of(tally, self._rules, now_s, self._total_s)))


def live_line(now: Now) -> str:
    """A run as it stands, in one line."""
    line = f"{_clock(now)}, {now.phase}: {_rates(now)} a second; p95 {_time(now.p95_ms)}"
    line += f", {now.in_flight:,} in flight"
    if now.dropped:
        line += f", {now.dropped:,} dropped"
    broken = [threshold_words(result) for result in now.thresholds if result.ok is False]
    if broken:
        line += f"; does not hold: {listed(broken)}"
    return line


def live_table(now: Now) -> Table:
    """A run as it stands, at 80 columns: names on the left, figures on the right."""
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    rows = [
        (_clock(now), f"{now.phase}: {now.planned}" if now.planned else now.phase),
        ("per second", _rates(now)),
        (f"last {LATENCY_WINDOW_S} s", _latencies(now)),
        ("so far", _counts(now)),
        ("throttled by", _causes(now)),
        ("generator", _generator(now)),
    ]
    for name, words in rows:
        if words:
            table.add_row(name, words)
    for result in now.thresholds:
        table.add_row(state_word(result), f"{threshold_words(result)}: {measured_words(result)}")
    return table


def _clock(now: Now) -> str:
    if not now.total_s:
        return seconds(float(int(now.elapsed_s)))  # nobody knows how long it takes
    total = seconds(round(now.total_s, 1))
    return f"{seconds(float(int(min(now.elapsed_s, now.total_s))))} of {total}"


def _rates(now: Now) -> str:
    return (
        f"{now.offered_rps:,} offered, {now.admitted_rps:,} admitted, "
        f"{now.throttled_rps:,} throttled, {now.failed_rps:,} failed"
    )


def _latencies(now: Now) -> str:
    return f"response p50 {_time(now.p50_ms)}, p95 {_time(now.p95_ms)}, p99 {_time(now.p99_ms)}"


def _counts(now: Now) -> str:
    users = f", {now.users:,} users" if now.users else ""
    return (
        f"{now.completed:,} completed, {now.in_flight:,} in flight, {now.dropped:,} dropped{users}"
    )


def _causes(now: Now) -> str:
    return ", ".join(f"{cause_word(cause)} {count:,}" for cause, count in now.throttled_by_cause)


def _generator(now: Now) -> str:
    shares = [percent(share) for share in now.cpu_shares]
    cpu = f", CPU {', '.join(shares)}" if shares else ""
    return f"start lag p99 {_time(now.start_lag_p99_ms)}{cpu}"


def _time(value_ms: float | None) -> str:
    return _NONE if value_ms is None else short_time(value_ms).replace(SPACE, " ")
