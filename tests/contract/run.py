"""`python -m tests.contract.run --target moto`: runs the steps against a target and tells of each.

A step that a target is known not to support is run all the same: "now passes" is news to act on,
and no failure.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from tests.contract.account import Account
from tests.contract.script import STEPS
from tests.contract.step import SANDBOX, TARGETS, Step
from tests.contract.targets import START, Absent

Verdict = Literal["passes", "FAILS", "now passes", "differs"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step went; `why` is the reason of a difference, or what was raised."""

    step: Step
    verdict: Verdict
    why: str = ""


def outcome_of(step: Step, target: str, account: Account) -> Outcome:
    """Runs a step."""
    known = step.unsupported.get(target)
    try:
        step.run(account)
    except Exception as error:
        if known is not None:
            return Outcome(step, "differs", known)
        return Outcome(step, "FAILS", _in_one_line(error))
    return Outcome(step, "passes" if known is None else "now passes", known or "")


def _in_one_line(error: Exception) -> str:
    """What was raised, and the line of the step that it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [frame for frame in frames if frame.filename.endswith("_steps.py")] or list(frames)
    text = " ".join(str(error).split())[:200]
    return f"{places[-1].line} ({places[-1].lineno}): {type(error).__name__} {text}".rstrip()


def main() -> int:
    """0 when nothing fails, 1 when something does, 2 when the target is not there."""
    options = _options()
    account = closing(Account(options.endpoint)) if options.endpoint else START[options.target]()
    try:
        with account as opened:
            chosen = [step for step in STEPS if options.only in step.name]
            outcomes = _told(outcome_of(step, options.target, opened) for step in chosen)
    except Absent as error:
        _tell(str(error))
        return 2
    counts = Counter(outcome.verdict for outcome in outcomes)
    _tell(f"{options.target}: " + ", ".join(f"{n} {what}" for what, n in counts.items()))
    return 1 if counts["FAILS"] else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.contract.run", description=__doc__)
    parser.add_argument("--target", choices=TARGETS, default=SANDBOX)
    parser.add_argument("--endpoint", metavar="URL", help="a target that runs already")
    parser.add_argument("--only", metavar="TEXT", default="", help="steps with this in their name")
    return parser.parse_args()


def _told(outcomes: Iterable[Outcome]) -> list[Outcome]:
    told = []
    for outcome in outcomes:
        _tell(f"{outcome.verdict:10} {outcome.step.name:64} {outcome.why}".rstrip())
        told.append(outcome)
    return told


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
