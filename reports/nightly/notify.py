"""Tells people of a night whose state is other than the one that they know.

That something could not be told is a note of the night: its exit code is about what was measured.
The record of the night keeps which places were not told, and each place is told what is other than
in the last night that it was not kept from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.console import Console
from reports.history.record import NightRecord
from reports.nightly.document import NightlyDocument
from reports.nightly.message import slack_body, webhook_body
from reports.nightly.plan import NightlyPlan, Webhook
from reports.nightly.post import Answer, NotPosted, Post, http_post
from reports.nightly.state_change import state_changes

_TRIES = 2
_PAUSE_S = 2.0
# A service that asks for more is told tomorrow.
_LONGEST_PAUSE_S = 10.0
_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Told:
    """Notes of what went wrong, and the places that were not told of a change."""

    notes: Sequence[str] = ()
    untold: Sequence[str] = ()


def tell(
    document: NightlyDocument,
    before: Sequence[NightRecord],
    plan: NightlyPlan,
    *,
    console: Console,
    post: Post = http_post,
    sleep: Callable[[float], None] = time.sleep,
) -> Told:
    """Sends each place what changed since the last of the nights `before` that it knows."""
    notes, untold = [], []
    for number, place in enumerate(plan.notify):
        name = f"notify[{number}] ({place.kind})"
        changes = _changes(name, document, before)
        if not changes:
            continue
        reason = _told(place, _body(place, document, changes, plan.report_url), post, sleep)
        if reason is None:
            console.detail(f"{name}: told: {changes[0]}")
        else:
            untold.append(name)
            notes.append(f"{name}: could not tell of the night: {reason}")
    return Told(notes, untold)


def _changes(name: str, document: NightlyDocument, before: Sequence[NightRecord]) -> list[str]:
    known = next((night for night in reversed(before) if name not in night.untold), None)
    if known is None or known is before[-1]:
        return state_changes(document, known)
    return state_changes(document, known, called=f"last told, of {known.night}")


def _body(place: Webhook, document: NightlyDocument, changes: list[str], url: str | None) -> bytes:
    made = slack_body if place.kind == "slack" else webhook_body
    return made(document, changes, url)


def _told(place: Webhook, body: bytes, post: Post, sleep: Callable[[float], None]) -> str | None:
    """None when it was told, else why not."""
    if not place.url.strip():
        return "it has no address"
    reason, pause_s = "", 0.0
    for attempt in range(_TRIES):
        if attempt:
            sleep(pause_s)
        pause_s = _PAUSE_S
        try:
            answer = post(place.url.strip(), body)
        except NotPosted as error:
            reason = str(error)
            if not error.again:
                return reason
            continue
        if 200 <= answer.status < 300:
            return None
        reason = f"it answered {answer.status}" + (f" ({answer.word})" if answer.word else "")
        if answer.status != _TOO_MANY and answer.status < 500:
            return reason
        pause_s = _pause_s(answer)
        if pause_s > _LONGEST_PAUSE_S:
            return reason
    return reason


def _pause_s(answer: Answer) -> float:
    return _PAUSE_S if answer.retry_after_s is None else answer.retry_after_s
