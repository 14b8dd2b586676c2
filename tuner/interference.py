"""Notices that somebody else holds or changes the function that a run has borrowed."""

from __future__ import annotations

from core.errors import Refused
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


def check_as_planned(target: Target, planned: Target) -> None:
    """Makes sure that the function still is what the plan and the way back were made from.

    Raises:
        Refused: with what changed, for example while the question about the cost was open.
    """
    changes = _changes(target, planned)
    if changes:
        raise Refused(
            f"function {target.name!r} was changed by somebody else after the run was planned: "
            f"{', '.join(changes)}; nothing was changed by the run",
            hint="start it again",
        )


def check_as_left(target: Target, planned: Target) -> None:
    """Makes sure that the function still is as the run put it back, which is as it was planned.

    Raises:
        Refused: with what changed, for example by a deploy while the run measured.
    """
    changes = _changes(target, planned)
    if changes:
        raise Refused(
            f"function {target.name!r} was changed by somebody else while the run was going on: "
            f"{', '.join(changes)}; the run's own changes are undone"
        )


def _changes(target: Target, planned: Target) -> list[str]:
    """What differs from the plan. Not the revision: AWS gives a new one for less than a change."""
    facts = [
        ("memory in MB", planned.memory_mb, target.memory_mb),
        ("description", planned.description, target.description),
        ("code", planned.code_sha256, target.code_sha256),
        ("timeout in s", planned.timeout_s, target.timeout_s),
    ]
    changes = [f"{name} from {was!r} to {now!r}" for name, was, now in facts if was != now]
    if not changes and planned.settings_sha256 != target.settings_sha256:
        changes = ["another setting, such as an environment variable or a layer"]
    return changes


def same_settings(target: Target, other: Target) -> bool:
    """Whether nothing that somebody can set differs."""
    return not _changes(target, other)


def foreign_change(function: str) -> str:
    """What to tell a user when an update or a publishing of the run met another one."""
    return (
        f"function {function!r} was changed by somebody else while its sizes were published; "
        "the run's own changes are undone"
    )
