"""Which further runs tell of a suspected step, within the time and money that a night has left."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from reports.figures import seconds, usd
from reports.nightly.journal import Purpose
from reports.regression.confirmation import FEWEST_PAIRS

How = Literal["rerun", "pairs"]

# A measurement that is not valid is the most frequent nuisance of a night, and often gone at once.
MOST_ATTEMPTS = 2
# A generator that is late once or twice is no reason to wait for another night.
_MOST_SPARE = 2


class Suspect(Protocol):
    """A step with a figure that looks worse, and how that is to be confirmed.

    `runs` is a number of reruns, or of pairs of the baseline and the newer version. `pairs_only`:
    the platform is as likely a reason, and meets reruns of the same night as well.
    """

    @property
    def step(self) -> str: ...
    @property
    def how(self) -> How: ...
    @property
    def runs(self) -> int: ...
    @property
    def pairs_only(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Further:
    """What is made of a step; `why` says in words why these are other runs than were asked for."""

    step: str
    how: How
    runs: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class RunOfStep:
    """What a run of a step takes, as far as that is known; `pairs_made` are those of tonight."""

    seconds: float = 0.0
    usd: float = 0.0
    pairs_made: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """What further runs may take; None: as much as they want."""

    seconds: float
    usd: float | None = None


def purposes_of(how: How, turn: int) -> Iterator[Purpose]:
    """The runs of a turn. Pairs are balanced, B C C B: what drifts favours neither version."""
    if how == "rerun":
        yield "rerun"
    elif turn % 2 == 0:
        yield from ("baseline", "candidate")
    else:
        yield from ("candidate", "baseline")


def turns_of(how: How, runs: int, lost: int) -> int:
    """How many turns are made, where so many pairs came to nothing: such are made up for.

    Only where the others are too few to tell, and not where most are lost.
    """
    is_short = how == "pairs" and runs - lost < FEWEST_PAIRS
    return runs + lost if is_short and lost <= _MOST_SPARE else runs


def most_runs(how: How, runs: int) -> int:
    """How many runs that are at most."""
    if how == "rerun":
        return runs
    return 2 * max(turns_of(how, runs, lost) for lost in range(_MOST_SPARE + 1))


def pairs_within(time_s: float, run_s: float) -> int | None:
    """How many pairs of runs fit into a time; None where that is not known."""
    return int(time_s // (2 * run_s)) if run_s > 0 else None


def further_runs(
    suspects: Sequence[Suspect], runs: Sequence[RunOfStep], left: Left, reruns: int
) -> list[Further]:
    """The runs of each suspect, in order: plain reruns where too few pairs fit to tell anything.

    The steps share what is left; where the fewest pairs of all of them do not fit together, the
    longest steps are run again plainly.
    """
    found = [Further(one.step, one.how, one.runs) for one in suspects]
    order = sorted(range(len(found)), key=lambda at: -runs[at].seconds)
    for at in order:
        if found[at].how != "pairs":
            continue
        needed_s = sum(_fewest_s(one, run) for one, run in zip(found, runs, strict=True))
        needed_usd = sum(_fewest_usd(one, run) for one, run in zip(found, runs, strict=True))
        in_money = left.usd is None or needed_usd < left.usd
        if needed_s > left.seconds or not in_money:
            number = 0 if suspects[at].pairs_only else reruns
            why = _why(found[at], runs[at], left, number, in_money=in_money)
            found[at] = Further(found[at].step, "rerun", number, why)
    return found


def _fewest_s(further: Further, run: RunOfStep) -> float:
    return _fewest_runs(further, run) * run.seconds


def _fewest_usd(further: Further, run: RunOfStep) -> float:
    """What must be left before the last of the runs begins; nothing else is known of its end."""
    return max(_fewest_runs(further, run) - 1, 0) * run.usd


def _fewest_runs(further: Further, run: RunOfStep) -> int:
    if further.how == "rerun":
        return further.runs
    return 2 * max(min(FEWEST_PAIRS, further.runs) - run.pairs_made, 0)


def _why(further: Further, run: RunOfStep, left: Left, reruns: int, *, in_money: bool) -> str:
    again = "1 plain rerun instead" if reruns == 1 else f"{reruns} plain reruns instead"
    if not reruns:
        again = "the next night decides, since plain reruns meet the same platform"
    if not in_money:
        room = f"{usd(max(left.usd or 0.0, 0.0))} that are left of max_usd, at {usd(run.usd)} a run"
    else:
        room = (
            f"{seconds(max(0, math.floor(left.seconds)))} of gates.confirm.time_limit, at "
            f"{seconds(round(run.seconds))} a run"
        )
    return (
        f"{further.step}: fewer than {FEWEST_PAIRS} pairs fit into the {room}, and so few tell "
        f"nothing: {again}"
    )
