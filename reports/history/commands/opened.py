"""Which history and which plan a command of `reports history` is about."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from core.console import Console
from core.errors import InputError
from core.located_model import did_you_mean
from reports.history.history import History, Past, open_history, past_of

if TYPE_CHECKING:
    from reports.nightly.plan import NightlyPlan

_YAML = (".yaml", ".yml")
_MOST_PROBLEMS = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """Words of the command line, the first of which may be a plan or a place, and options."""

    words: tuple[str, ...] = ()
    history: str | None = None
    name: str | None = None
    environment: str | None = None
    region: str | None = None
    profile: str | None = None


@dataclass(frozen=True)
class Opened:
    """A history, the plan in it, and the words that are left; `plan_file` is None for a place."""

    history: History
    plan: str
    words: tuple[str, ...]
    reference: str  # as commands that are proposed name the history
    settings: NightlyPlan | None = None

    @cached_property
    def past(self) -> Past:
        """All that is known of the plan."""
        found, problems = self.history.stored(self.plan)
        return past_of([entry.record for entry in found], problems)


def opened(asked: Asked) -> Opened:
    """The history that is meant.

    Raises:
        InputError: when the command line names none, or no plan of it.
    """
    words = list(asked.words)
    plan = place = None
    if words and words[0].endswith(_YAML):
        plan = words.pop(0)
    elif words and asked.history is None:
        place = words.pop(0)
    if plan is not None:
        return _of_plan(Path(plan), asked, tuple(words))
    place = asked.history if asked.history is not None else place
    if place is None:
        raise InputError(
            "no history is named",
            hint="give a plan (nightly.yaml), or a folder or s3://BUCKET/PREFIX",
        )
    return _of_place(place, asked, tuple(words))


def _of_plan(path: Path, asked: Asked, words: tuple[str, ...]) -> Opened:
    from reports.nightly.plan_reader import read_plan

    if asked.name is not None:
        raise InputError("--name: a plan has its own name", hint="leave out one of both")
    read = read_plan(path, environment=asked.environment)
    place = read.history_place(asked.history)
    history = open_history(
        place,
        region=asked.region or read.plan.region,
        profile=asked.profile or read.plan.profile,
    )
    options = f" --history {asked.history}" if asked.history is not None else ""
    options += f" --env {asked.environment}" if asked.environment is not None else ""
    return Opened(history, read.plan.name, words, f"{path}{options}", read.plan)


def _of_place(place: str, asked: Asked, words: tuple[str, ...]) -> Opened:
    if asked.environment is not None:
        raise InputError("--env: only a plan has environments", hint="give the plan's YAML file")
    if "://" not in place and not Path(place).expanduser().exists():
        raise InputError(
            f"could not read the history {place}: there is no such folder",
            hint="give a plan (nightly.yaml), or the folder or s3:// place of a history",
        )
    history = open_history(place, region=asked.region, profile=asked.profile)
    name = asked.name if asked.name is not None else _only_plan(history)
    options = f" --name {name!r}" if asked.name is not None else ""
    return Opened(history, name, words, f"{place}{options}")


def _only_plan(history: History) -> str:
    names = history.plan_names()
    if len(names) == 1:
        return names[0]
    if not names:
        raise InputError(f"there is no plan in the history {history.place}")
    raise InputError(
        f"the history {history.place} has {len(names)} plans: {', '.join(names)}",
        hint="choose one with --name",
    )


def refuse_empty(found: Opened) -> None:
    """Nothing where the plan has records.

    Raises:
        InputError: when it has none, with the plans that there are.
    """
    past = found.past
    if past.runs or past.nights or past.events or past.problems:
        return
    known = set(found.history.plan_names()) - {found.plan}
    raise InputError(
        f"the history {found.history.place} has nothing of the plan {found.plan}"
        f"{did_you_mean(found.plan, known) if known else ''}"
    )


def warn_of_problems(found: Opened, console: Console) -> None:
    """Says which objects could not be read; nothing else is lost by them."""
    problems = found.past.problems
    for problem in problems[:_MOST_PROBLEMS]:
        console.warn(f"left out: {problem}")
    if len(problems) > _MOST_PROBLEMS:
        console.warn(f"left out: {len(problems) - _MOST_PROBLEMS} more objects; --json has all")
