"""What the next `tune` of a function says of runs on it that were killed, and offers to do."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from core.confirm import confirm
from core.console import Console
from core.errors import InputError, Refused
from tuner.journal import state_folder
from tuner.leftover import Leftover, leftover_of_journal
from tuner.open_journals import read_journals
from tuner.restore import undo_all
from tuner.target import Target, split_function


def offer_restore(
    function: str, region: str, endpoint_url: str | None, profile: str | None, console: Console
) -> None:
    """Asks whether to put back first what killed runs left on `function`, by their journals.

    Asks where somebody can answer only; a no leaves everything as it is, and `tune` then refuses a
    function that still has the mark of a run.
    """
    if not sys.stdin.isatty():
        return
    left = _killed(function, region, endpoint_url)
    if not left:
        return
    for leftover in left:
        console.say(leftover.line())
    try:
        confirm(f"{len(left)} to restore", "put this back first?", console)
    except Refused:
        return
    undo_all(left, profile, console)


def _killed(function: str, region: str, endpoint_url: str | None) -> Sequence[Leftover]:
    # The function is not read yet: where it has the mark of a run, `tune` would refuse it.
    name = split_function(function)[0].rpartition(":")[2]
    try:
        journals = read_journals(state_folder()).open
    except InputError:
        return ()  # told by `warn_of_leftovers`
    return [
        leftover_of_journal(journal)
        for journal in journals
        if not journal.held
        and journal.beginning.function_arn.rpartition(":")[2] == name
        and (journal.beginning.region, journal.beginning.endpoint_url) == (region, endpoint_url)
    ]


def warn_of_leftovers(target: Target, endpoint_url: str | None, console: Console) -> None:
    """Tells of earlier runs on the function that were killed and left something.

    Only ever warns: what earlier runs left behind does not keep the next one.
    """
    try:
        journals = read_journals(state_folder())
    except InputError as error:
        console.warn(str(error))
        return
    for fault in journals.faults:
        console.warn(str(fault))
    for journal in journals.open:
        begin = journal.beginning
        here = (begin.function_arn, begin.endpoint_url) == (target.arn, endpoint_url)
        if here and not journal.held:
            console.warn(
                f"run {begin.run_id} on {target.name} was killed and may have left versions: "
                "`tune restore` deletes them"
            )
