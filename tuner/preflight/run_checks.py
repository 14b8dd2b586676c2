"""What is on the function already: versions, aliases, and what other runs do or left; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from core.errors import AwsError, ExitCode
from tuner.open_journals import OpenJournal
from tuner.preflight.finding import Finding, problem, unknown
from tuner.versions import PublishedVersion

_NAMES_MOST = 5


def check_versions(
    name: str,
    versions: Mapping[str, PublishedVersion] | AwsError,
    aliases: Sequence[str] | AwsError,
) -> Iterator[Finding]:
    """The versions and aliases, of which a run touches none, and versions that a run left."""
    if isinstance(versions, AwsError):
        # A run has to know them, so that it deletes none of them.
        yield problem("versions", versions)
        return
    if isinstance(aliases, AwsError):
        yield unknown("aliases", aliases)
        told = ""
    else:
        told = f" and {_counted(len(aliases), 'alias', 'aliases')}{_named(aliases)}"
    found = f"{_counted(len(versions), 'version', 'versions')}{told}; a run touches none of them"
    yield Finding("versions", "ok", found)
    marked = [number for number, version in versions.items() if version.marker is not None]
    if marked:
        yield Finding(
            "leftovers",
            "warning",
            f"versions {', '.join(marked)} carry the mark of a run that still works or was killed",
            f"`tune restore {name}` deletes them, once it does not work any more",
        )


def check_journals(
    journals: Sequence[OpenJournal], function_arn: str, endpoint: str | None
) -> Iterator[Finding]:
    """Runs of this user on the function that have not ended."""
    for journal in journals:
        begin = journal.beginning
        if (begin.function_arn, begin.endpoint_url) != (function_arn, endpoint):
            continue
        run = f"run {begin.run_id}, begun {begin.started_utc}"
        if journal.held:
            yield Finding(
                "other runs",
                "problem",
                f"{run}, tunes the function now",
                "start again when it has ended",
                ExitCode.REFUSED,
            )
        else:
            yield Finding(
                "other runs",
                "warning",
                f"{run}, was killed and may have left versions",
                "`tune restore` deletes them",
            )


def _named(names: Sequence[str]) -> str:
    if not names:
        return ""
    more = len(names) - _NAMES_MOST
    return f" ({', '.join(names[:_NAMES_MOST])}{f' and {more} more' if more > 0 else ''})"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
