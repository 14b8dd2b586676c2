"""The published versions of a function: which are a run's, and how those are deleted.

DeleteFunction without a version deletes the function, so it is called from here only, with the
number of a version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.aws.session import aws_call
from core.errors import AwsError
from tuner.journal import Beginning
from tuner.marker import VersionMarker, parse_marker, parse_version_marker
from tuner.settle import BUSY, NOT_FOUND, POLL_MOST_S, Pause

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# A version whose snapshot is being made cannot be deleted for minutes (botocore's waiter: 26).
_MOST_WAITS_WHILE_BUSY = 1_600


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """What a published version shows of where it comes from."""

    description: str
    code_sha256: str

    @property
    def marker(self) -> VersionMarker | None:
        """The mark of the run that published it; None when somebody else did."""
        return parse_version_marker(self.description)

    def is_of(self, run_id: str) -> bool:
        """Whether the run has published it."""
        return self.marker is not None and self.marker.run_id == run_id

    def has_met(self, run_id: str) -> bool:
        """Whether somebody else has published it while the run had its mark on `$LATEST`."""
        marker = parse_marker(self.description)
        return marker is not None and marker.run_id == run_id


@dataclass(frozen=True, slots=True)
class Deletion:
    """The versions of a run that were deleted, and those of others that its mark was put into.

    `keeping` are those of the run that keep settings of `$LATEST`, with the version for which:
    they are not deleted before `$LATEST` is as it was.
    """

    deleted: tuple[str, ...]
    met: tuple[str, ...]
    keeping: tuple[tuple[str, str], ...] = ()


def delete_versions(
    client: LambdaClient, function: str, beginning: Beginning, pause: Pause
) -> Deletion:
    """Deletes the versions that this run published to be measured, each by its number.

    One that cannot be deleted does not keep the others.

    Raises:
        AwsError: the first refusal, after all were tried.
    """
    deleted: list[str] = []
    refusals: list[AwsError] = []
    keeping: list[tuple[str, str]] = []
    found = list_versions(client, function)
    for version, shown in found.items():
        if version in beginning.existing_versions or not shown.is_of(beginning.run_id):
            continue
        if shown.marker is not None and shown.marker.kept_from is not None:
            keeping.append((version, shown.marker.kept_from))
            continue
        try:
            delete_number(client, function, version, pause)
        except AwsError as error:
            if error.code != NOT_FOUND:
                refusals.append(error)
            continue
        deleted.append(version)
    if refusals:
        raise refusals[0]
    met = (version for version, shown in found.items() if shown.has_met(beginning.run_id))
    return Deletion(tuple(deleted), tuple(met), tuple(keeping))


def delete_version(
    client: LambdaClient, function: str, version: str, run_id: str, pause: Pause
) -> None:
    """Deletes one version by its number, if it still is the run's.

    It is not when the function was deleted and made again: then numbers begin anew.

    Raises:
        AwsError: when AWS refuses it, for example while an alias points to it.
    """
    with aws_call(f"read version {version} of {function}"):
        shown = client.get_function(FunctionName=function, Qualifier=version)["Configuration"]
    if PublishedVersion(shown.get("Description", ""), shown["CodeSha256"]).is_of(run_id):
        delete_number(client, function, version, pause)


def delete_number(client: LambdaClient, function: str, version: str, pause: Pause) -> None:
    """Deletes one version, whosever it is, as soon as nothing is in progress.

    Raises:
        AwsError: when AWS refuses it, for example while an alias points to it.
    """
    if not version.isdecimal():
        raise ValueError(f"not the number of a version: {version!r}")
    for _ in range(_MOST_WAITS_WHILE_BUSY):
        try:
            with aws_call(f"delete version {version} of {function}"):
                client.delete_function(FunctionName=function, Qualifier=version)
        except AwsError as error:
            if not _is_busy(error):
                raise
            pause(POLL_MOST_S)
            continue
        return
    raise AwsError(f"could not delete version {version} of {function}: it is busy all the time")


def _is_busy(error: AwsError) -> bool:
    """Whether something is in progress. The same code stands for an alias that points to it."""
    return error.code == BUSY and any(
        text in str(error) for text in ("in progress", "following state: Pending")
    )


def versions_of_run(client: LambdaClient, function: str, run_id: str) -> tuple[str, ...]:
    """The numbers of the versions that a run published and that are still there."""
    found = list_versions(client, function)
    return tuple(version for version, shown in found.items() if shown.is_of(run_id))


def list_versions(client: LambdaClient, function: str) -> dict[str, PublishedVersion]:
    """All published versions, by version number."""
    versions: dict[str, PublishedVersion] = {}
    with aws_call(f"list the versions of {function}"):
        for page in client.get_paginator("list_versions_by_function").paginate(
            FunctionName=function
        ):
            if "Versions" not in page:
                # A proxy, or the page of a Wi-Fi portal: no version is not what it says.
                raise AwsError(
                    f"could not list the versions of {function}: the answer does not come from "
                    "Lambda",
                    hint="check AWS_ENDPOINT_URL and proxies",
                )
            for item in page["Versions"]:
                versions[item["Version"]] = PublishedVersion(
                    item.get("Description", ""), item.get("CodeSha256", "")
                )
    versions.pop("$LATEST", None)
    return versions


def met_note(met: Sequence[str]) -> str:
    """What to tell of versions that somebody else published while a test size was set."""
    several = len(met) > 1
    return (
        f"version{'s' if several else ''} {', '.join(met)} {'were' if several else 'was'} "
        "published by somebody else while the run had set a test size: kept, with that size and "
        "the run's mark in the description; publish again where the size matters"
    )
