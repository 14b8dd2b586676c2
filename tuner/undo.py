"""Takes back what a run changed on a function, by what AWS shows rather than by memory.

The run's marker in a Description says what is the run's; so the run itself, `tune restore` with a
journal and `tune restore` without one all undo by the same code. A version that somebody else
publishes while `$LATEST` is marked inherits the marker, but not the code that it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.aws.session import aws_call
from core.errors import AwsError
from tuner.journal import Beginning
from tuner.marker import Marker, parse_marker
from tuner.settle import POLL_MOST_S, Pause, wait_until_settled
from tuner.target import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# How AWS names an update of a moment ago, and a revision that is not the latest any more.
BUSY = "ResourceConflictException"
CHANGED = "PreconditionFailedException"
NOT_FOUND = "ResourceNotFoundException"
_TRIES = 10


def restore_latest(
    client: LambdaClient,
    function: str,
    beginning: Beginning,
    pause: Pause,
    *,
    test_mb: int | None = None,
) -> Target | None:
    """Puts memory and Description of `$LATEST` back if this run's marker is on it.

    Without the marker it is either back already or somebody else's by now, and stays untouched.
    Code that was deployed meanwhile stays; a memory size that somebody else set stays as well.

    `test_mb` is the size that this process set a moment ago, where it did: with it, a deploy of
    another Description alone does not leave the function at this size.

    Returns:
        `$LATEST` as it was put back; None where there was nothing to put back.

    Raises:
        AwsError: when AWS refuses it, or accepts it and cannot carry it out.
    """
    for _ in range(_TRIES):
        target = wait_until_settled(client, function, beginning.region, pause)
        wanted = _to_restore(target, beginning, test_mb)
        if wanted is None:
            return None
        memory_mb, description = wanted
        try:
            with aws_call(f"put {function} back to {beginning.memory_mb} MB"):
                client.update_function_configuration(
                    FunctionName=function,
                    MemorySize=memory_mb,
                    Description=description,
                    RevisionId=target.revision_id,
                )
        except AwsError as error:
            # Somebody else was faster: look again at what the function is now.
            if error.code not in (CHANGED, BUSY):
                raise
            pause(POLL_MOST_S)
            continue
        restored = wait_until_settled(
            client, function, beginning.region, pause, stale_revision=target.revision_id
        )
        _check_carried_out(restored, beginning)
        return restored
    raise AwsError(
        f"could not put {function} back to {beginning.memory_mb} MB: it is being changed all the "
        "time",
        hint="run `tune restore`",
    )


def _to_restore(
    target: Target, beginning: Beginning, test_mb: int | None
) -> tuple[int, str] | None:
    """Memory in MB and Description that `$LATEST` is to get; None where nothing is the run's."""
    own = (beginning.memory_mb, beginning.description)
    marker = parse_marker(target.description)
    if marker is not None and marker.run_id == beginning.run_id:
        return own if target.memory_mb == marker.size_mb else (target.memory_mb, own[1])
    # What AWS shows is back, but it could not carry that out: invocations still get the test size.
    if target.update_failure and (target.memory_mb, target.description) == own:
        return own
    if marker is None and target.memory_mb == test_mb != beginning.memory_mb:
        return beginning.memory_mb, target.description
    return None


def _check_carried_out(target: Target, beginning: Beginning) -> None:
    if target.update_failure is not None:
        raise AwsError(
            f"could not put {target.name} back to {beginning.memory_mb} MB: AWS accepted the "
            f"update and did not carry it out: {target.update_failure}"
        )


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """What a published version shows of where it comes from."""

    description: str
    code_sha256: str

    @property
    def marker(self) -> Marker | None:
        """The marker of the run that published it; None when somebody else did."""
        marker = parse_marker(self.description)
        return marker if marker is not None and marker.is_about(self.code_sha256) else None


def delete_versions(client: LambdaClient, function: str, beginning: Beginning) -> tuple[str, ...]:
    """Deletes the versions that this run published, each by its number.

    One that cannot be deleted does not keep the others.

    Returns:
        The deleted version numbers.

    Raises:
        AwsError: the first refusal, after all were tried.
    """
    deleted: list[str] = []
    refusals: list[AwsError] = []
    for version in versions_of_run(client, function, beginning.run_id):
        if version in beginning.existing_versions or not version.isdigit():
            # Without a number DeleteFunction would take the whole function.
            continue
        try:
            delete_version(client, function, version)
        except AwsError as error:
            if error.code != NOT_FOUND:
                refusals.append(error)
            continue
        deleted.append(version)
    if refusals:
        raise refusals[0]
    return tuple(deleted)


def delete_version(client: LambdaClient, function: str, version: str) -> None:
    """Deletes one version by its number.

    Raises:
        AwsError: when AWS refuses it, for example while an alias points to it.
    """
    with aws_call(f"delete version {version} of {function}"):
        client.delete_function(FunctionName=function, Qualifier=version)


def versions_of_run(client: LambdaClient, function: str, run_id: str) -> tuple[str, ...]:
    """The numbers of the versions that a run published and that are still there."""
    found = list_versions(client, function)
    markers = {version: shown.marker for version, shown in found.items()}
    return tuple(version for version, mark in markers.items() if mark and mark.run_id == run_id)


def list_versions(client: LambdaClient, function: str) -> dict[str, PublishedVersion]:
    """All published versions, by version number."""
    versions: dict[str, PublishedVersion] = {}
    with aws_call(f"list the versions of {function}"):
        for page in client.get_paginator("list_versions_by_function").paginate(
            FunctionName=function
        ):
            for item in page["Versions"]:
                versions[item["Version"]] = PublishedVersion(
                    item.get("Description", ""), item.get("CodeSha256", "")
                )
    versions.pop("$LATEST", None)
    return versions
