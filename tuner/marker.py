"""The Descriptions that a run gives to what it changes and makes, so that a stranger can undo it.

A Description is all that a function carries along without meaning to Lambda. That of `$LATEST`
names the run, the size and what was there before; it makes each published version differ from every
earlier one, because PublishVersion gives back the old version when nothing has changed.

A version of the run has a Description of another form, which PublishVersion itself gives it. That
is how it is told from a version that somebody else publishes meanwhile: theirs has the Description
of `$LATEST`, or one of their own. AWS sets it as it makes the version, so there is no moment at
which a version of the run does not have it.

Where `$LATEST` gets the settings of a version while sizes are published, its mark names that
version, and a version of the run that is marked as such keeps the settings of before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.aws.limits import DESCRIPTION_MAX_CHARS

_OF_LATEST = re.compile(
    r"tune-run ([0-9a-f]{12}) size=(\d+) was=(\d+)(?: settings-of=(\d+))?(?: copy=\d+)? :: (.*)",
    re.DOTALL,
)
_OF_VERSION = re.compile(
    r"tune-version of run ([0-9a-f]{12}) size=(\d+) was=(\d+)"
    r"(?: copy=\d+| keeps-settings-from=(\d+))?"
)


@dataclass(frozen=True, slots=True)
class Marker:
    """What the mark on `$LATEST` says; `description` is cut where it did not fit.

    `full` says that the marked Description fills Lambda's 256 characters, so that something may be
    missing. `settings_of` is the version of which `$LATEST` has settings, None for its own.
    """

    run_id: str
    size_mb: int
    original_mb: int
    description: str
    full: bool
    settings_of: str | None = None


@dataclass(frozen=True, slots=True)
class VersionMarker:
    """What the mark on a version says that a run published.

    One that was not published to be measured keeps the settings of `$LATEST`, which gets those of
    version `kept_from` meanwhile.
    """

    run_id: str
    size_mb: int
    original_mb: int
    kept_from: str | None = None


def marked_description(
    run_id: str,
    size_mb: int,
    original_mb: int,
    description: str,
    *,
    copy: int = 1,
    settings_of: str | None = None,
) -> str:
    """The Description of `$LATEST` at one size, within Lambda's 256 characters.

    Further versions of the same size are told apart by `copy`, so that each is a new one.
    """
    settings = "" if settings_of is None else f" settings-of={settings_of}"
    mark = f"tune-run {run_id} size={size_mb} was={original_mb}{settings}{_counter(copy)} :: "
    return (mark + description)[:DESCRIPTION_MAX_CHARS]


def version_description(run_id: str, size_mb: int, original_mb: int, *, copy: int = 1) -> str:
    """The Description that the run's version of a size is published with."""
    return f"tune-version of run {run_id} size={size_mb} was={original_mb}{_counter(copy)}"


def keeping_description(run_id: str, original_mb: int, kept_from: str) -> str:
    """The Description of the version that keeps the settings of `$LATEST`."""
    shown = version_description(run_id, original_mb, original_mb)
    return f"{shown} keeps-settings-from={kept_from}"


def _counter(copy: int) -> str:
    return f" copy={copy}" if copy > 1 else ""


def parse_marker(description: str) -> Marker | None:
    """The mark of `$LATEST` in a Description, or None when it is nobody's but the user's."""
    match = _OF_LATEST.fullmatch(description)
    if not match:
        return None
    run_id, size_mb, original_mb, settings_of, original = match.groups()
    full = len(description) >= DESCRIPTION_MAX_CHARS
    return Marker(run_id, int(size_mb), int(original_mb), original, full, settings_of)


def parse_version_marker(description: str) -> VersionMarker | None:
    """The mark of a version that a run published, or None: then it is not to be deleted."""
    match = _OF_VERSION.fullmatch(description)
    if not match:
        return None
    run_id, size_mb, original_mb, kept_from = match.groups()
    return VersionMarker(run_id, int(size_mb), int(original_mb), kept_from)
