"""Notices that somebody else holds or changes the function that a run has borrowed."""

from __future__ import annotations

from core.errors import Refused
from tuner.journal import Beginning
from tuner.marker import parse_marker
from tuner.target import Target


def check_free(target: Target) -> None:
    """Makes sure that no other run holds the function.

    Raises:
        Refused: when `$LATEST` carries the marker of a run.
    """
    marker = parse_marker(target.description)
    if marker is not None:
        region = target.arn.split(":")[3]
        raise Refused(
            f"function {target.name!r} is held by tune run {marker.run_id}, which still works "
            "or was killed",
            hint=f"`tune restore {target.name} --region {region}` undoes what a killed run left",
        )


def check_as_planned(target: Target, beginning: Beginning) -> None:
    """Makes sure that the function still is what the plan and the way back were made from.

    Raises:
        Refused: with what changed, for example while the question about the cost was open.
    """
    changes = _changes(target, beginning, beginning.revision_id)
    if changes:
        raise Refused(
            f"function {target.name!r} was changed by somebody else after the run was planned: "
            f"{', '.join(changes)}; nothing was changed by the run",
            hint="start it again",
        )


def check_as_left(target: Target, beginning: Beginning, revision_id: str) -> None:
    """Makes sure that the function still is as the run put it back, at this revision.

    Raises:
        Refused: with what changed, for example by a deploy while the run measured.
    """
    changes = _changes(target, beginning, revision_id)
    if changes:
        raise Refused(
            f"function {target.name!r} was changed by somebody else while the run was going on: "
            f"{', '.join(changes)}; the run's own changes are undone"
        )


def _changes(target: Target, beginning: Beginning, revision_id: str | None) -> list[str]:
    """What differs from the beginning; a revision of None is not compared."""
    facts = [
        ("memory in MB", beginning.memory_mb, target.memory_mb),
        ("description", beginning.description, target.description),
        ("code", beginning.code_sha256, target.code_sha256),
    ]
    changes = [f"{name} from {was!r} to {now!r}" for name, was, now in facts if was != now]
    if not changes and revision_id not in (None, target.revision_id):
        changes = [f"another setting, revision from {revision_id!r} to {target.revision_id!r}"]
    return changes


def foreign_change(function: str) -> str:
    """What to tell a user when an update or a publishing of the run met another one."""
    return (
        f"function {function!r} was changed by somebody else while its sizes were published; "
        "the run's own changes are undone"
    )
