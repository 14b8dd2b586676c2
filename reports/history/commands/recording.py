"""`reports history accept|mute|unmute`: decisions written to the history, and what follows."""

from __future__ import annotations

import getpass
import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from core.console import Console
from core.errors import ExitCode, InputError
from reports.history.commands.deciding import (
    ALL,
    Decided,
    Decider,
    accept,
    end_of,
    mute,
    reason_from,
    unmute,
    who_from,
)
from reports.history.commands.opened import Opened, refuse_empty, warn_of_problems
from reports.history.commands.words import document_of, plain, until_of, what_of
from reports.history.record import EventRecord


def record_acceptance(
    found: Opened, reason: str, figures: Sequence[str], console: Console, *, all_of_last: bool
) -> ExitCode:
    """Accepts alarms, or figures of a night, as new levels.

    Raises:
        InputError: a word names nothing, or the reason is missing.
        ToolError: the history does not take it.
    """
    if all_of_last and found.words:
        raise InputError("--all: goes without IDs", hint="it takes all alarms of the last night")
    words = (ALL,) if all_of_last else found.words
    by = _decider(found, reason)
    refuse_empty(found)
    return _record(found, accept(found.past, words, figures, by), console)


def record_mute(
    found: Opened, reason: str, until: str | None, span: str | None, console: Console
) -> ExitCode:
    """Mutes an alarm, a figure or all until a time.

    Raises:
        InputError: the word names nothing, or end or reason are missing.
        ToolError: the history does not take it.
    """
    by = _decider(found, reason)
    end = end_of(until, span, by.now)
    refuse_empty(found)
    return _record(found, mute(found.past, _one_word(found), end, by), console)


def record_unmute(found: Opened, reason: str, console: Console) -> ExitCode:
    """Ends mutes before their time.

    Raises:
        InputError: the word names nothing.
        ToolError: the history does not take it.
    """
    by = _decider(found, reason)
    refuse_empty(found)
    return _record(found, unmute(found.past, _one_word(found), by), console)


def _decider(found: Opened, reason: str) -> Decider:
    return Decider(
        plan=found.plan,
        reason=reason_from(reason),
        who=who_from(os.environ) or _user(),
        now=datetime.now(UTC),
        new_id=lambda: secrets.token_hex(6),
    )


def _user() -> str | None:
    """The user of this process by name, where the system knows one."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None


def _one_word(found: Opened) -> str:
    if len(found.words) != 1:
        raise InputError(
            "expected one ID of an alarm, one figure ('STEP / SCOPE / METRIC') or all "
            f"(got {len(found.words)} words)"
        )
    return found.words[0]


def _record(found: Opened, decided: Decided, console: Console) -> ExitCode:
    names = [found.history.append(event) for event in decided.events]
    if console.json_output:
        events = [plain(event) for event in decided.events]
        told = {"events": events, "names": names, "notes": list(decided.notes)}
        console.document(document_of(plan=found.plan, **told))
        return ExitCode.PASS
    warn_of_problems(found, console)
    for event in decided.events:
        console.show(_said(event))
    for note in decided.notes:
        console.show(note)
    return ExitCode.PASS


def _said(event: EventRecord) -> str:
    """What was decided and what follows."""
    if event.action == "accept":
        return (
            f"accepted {what_of(event)}: from night {event.from_sequence} on it has a new level, "
            "against which the coming nights are judged"
        )
    if event.action == "mute":
        return (
            f"muted {what_of(event)} until {until_of(event)}: it is judged and shown, and does "
            "not fail a night"
        )
    return f"no longer muted: {what_of(event)}; the next night can fail by it again"
