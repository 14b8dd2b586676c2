"""A night as a message: our own JSON for a webhook, or blocks for Slack; pure.

Slack's forms and limits: https://docs.slack.dev/reference/block-kit/blocks (2026-10): 3,000 letters
in a section, `&`, `<` and `>` escaped.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from core.text import one_line
from reports.nightly.document import NightlyDocument

_MOST_LINES = 5
# Longer lines are read by nobody in a chat, and five of them fit into a section.
_MOST_LETTERS = 500
_MOST_LISTED = 20
_MARKS = {"pass": "\N{WHITE HEAVY CHECK MARK}", "failed": "\N{LARGE RED CIRCLE}"}
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_OTHER = "\N{WARNING SIGN}"


def webhook_body(document: NightlyDocument, changes: Sequence[str], url: str | None) -> bytes:
    """The night in JSON: verdict, what changed, confirmed alarms, and where the report is."""
    alarms = [alarm for alarm in document.alarms if alarm.state == "confirmed"]
    body = {
        "schema_version": 1,
        "kind": "nightly-message",
        "plan": document.name,
        "night": document.night,
        "night_id": document.night_id,
        "verdict": document.verdict,
        "exit_code": document.exit_code,
        "headline": document.headline,
        "changes": list(changes[:_MOST_LISTED]),
        "changes_left_out": max(0, len(changes) - _MOST_LISTED),
        "alarms": [
            alarm.model_dump(mode="json", exclude={"p_value", "floor_share"})
            for alarm in alarms[:_MOST_LISTED]
        ],
        "alarms_left_out": max(0, len(alarms) - _MOST_LISTED),
        "report_url": url,
        "branch": document.provenance.branch,
        "git_commit": document.provenance.git_commit,
    }
    return _encoded(body)


def slack_body(document: NightlyDocument, changes: Sequence[str], url: str | None) -> bytes:
    """A line with the verdict, what changed in five lines at most, and a link."""
    mark = _MARKS.get(document.verdict, _OTHER)
    title = f"{document.name}, night of {document.night}: {document.verdict}"
    text = f"*{_escaped(title)}*\n{_escaped(document.headline)}"
    blocks: list[dict[str, Any]] = [_section(f"{mark} {text}")]
    if changes:
        blocks.append(_section("\n".join(f"- {line}" for line in _few(changes))))
    if url and url.startswith(("https://", "http://")):
        link = url.replace("|", "%7C").replace(">", "%3E").replace("<", "%3C")
        blocks.append(_section(f"<{link}|The report>"))
    return _encoded({"text": f"{mark} {_escaped(title)}", "blocks": blocks})


def _few(lines: Sequence[str]) -> list[str]:
    if len(lines) <= _MOST_LINES:
        return [_escaped(line) for line in lines]
    shown = _MOST_LINES - 1
    return [*(_escaped(line) for line in lines[:shown]), f"and {len(lines) - shown} more"]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _escaped(text: str) -> str:
    """One line that Slack takes as it is; cut where it is too long with its escapes."""
    letters = [_ESCAPES.get(letter, letter) for letter in one_line(text)]
    if sum(map(len, letters)) <= _MOST_LETTERS:
        return "".join(letters)
    ends = list(accumulate(map(len, letters)))
    return "".join(letters[: bisect(ends, _MOST_LETTERS - 1)]) + "\N{HORIZONTAL ELLIPSIS}"


def _encoded(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", errors="replace")
