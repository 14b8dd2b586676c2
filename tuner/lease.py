"""Borrows a function: one published version a size, `$LATEST` put back at once, all of it undone.

`$LATEST` carries a test size only while versions are published, before anything is measured.
Sizes are then invoked by version number, so live traffic never meets one. Everything is in the
journal before it happens, and undoing goes by what AWS shows (the run's marker in Descriptions)
rather than by what this process remembers; so a killed run is undone by the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.aws.session import aws_call
from core.errors import AwsError, Refused
from tuner.journal import Beginning, Journal
from tuner.marker import marked_description, parse_marker
from tuner.target import Target, read_target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# How AWS says that a size is more than the account may have.
_SIZE_REFUSALS = frozenset({"ValidationException", "InvalidParameterValueException"})
# Somebody else's update of a moment ago: worth waiting for.
_BUSY = "ResourceConflictException"
_NOT_FOUND = "ResourceNotFoundException"
# A version can be unknown for a moment after it was published: reads may lag behind writes.
_LOOKS_FOR_A_NEW_VERSION = 10
_POLL_FIRST_S, _POLL_MOST_S = 0.1, 1.0
# VPC attachments and SnapStart snapshots take minutes (botocore's waiters: 5 and 26 minutes).
_SETTLE_TIMEOUT_S = 1_800.0

Pause = Callable[[float], None]


@dataclass(slots=True)
class Lease:
    """The versions that a run may invoke, by size, and the way back.

    `pause(seconds)` sleeps; it must not end early, because undoing never stops half-way.
    """

    client: LambdaClient
    function: str
    beginning: Beginning
    pause: Pause
    versions: dict[int, str] = field(default_factory=dict)
    refused_sizes: dict[int, str] = field(default_factory=dict)

    def acquire(self, sizes_mb: Sequence[int], journal: Journal, stop: Callable[[], bool]) -> None:
        """Publishes one version for each size and puts `$LATEST` back.

        Sizes that the account does not offer end up in `refused_sizes`. Returns early when
        `stop()`; whatever happens, `release` undoes what was done.

        Raises:
            Refused: when somebody else changes the function meanwhile.
            AwsError: when AWS does not go along.
        """
        target = self._settled()
        for size in sizes_mb:
            if stop():
                break
            configured = self._configure(size, target, journal)
            if configured is None:
                continue
            self._publish(size, configured, journal)
            target = configured
        journal.intend("restore")
        restore_latest(self.client, self.function, self.beginning, self.pause)
        for version in self.versions.values():
            self._wait_active(version)

    def release(self) -> None:
        """Puts `$LATEST` back if it is not, and deletes the run's versions."""
        restore_latest(self.client, self.function, self.beginning, self.pause)
        delete_versions(self.client, self.function, self.beginning)

    def _configure(self, size: int, target: Target, journal: Journal) -> Target | None:
        begin = self.beginning
        description = marked_description(begin.run_id, size, begin.memory_mb, begin.description)
        journal.intend("configure", memory_mb=size, description=description)
        try:
            with aws_call(f"set {self.function} to {size} MB for publishing"):
                self.client.update_function_configuration(
                    FunctionName=self.function,
                    MemorySize=size,
                    Description=description,
                    RevisionId=target.revision_id,
                )
        except AwsError as error:
            if error.code in _SIZE_REFUSALS:
                self.refused_sizes[size] = str(error)
                return None
            raise _explained(error, self.function) from error
        settled = self._settled(stale_revision=target.revision_id)
        if settled.update_failure is not None:
            raise AwsError(
                f"{self.function} could not be set to {size} MB: {settled.update_failure}"
            )
        if settled.memory_mb != size or settled.description != description:
            raise Refused(_foreign(self.function))
        return settled

    def _publish(self, size: int, configured: Target, journal: Journal) -> None:
        journal.intend("publish", memory_mb=size)
        try:
            with aws_call(f"publish a version of {self.function} with {size} MB"):
                answer = self.client.publish_version(
                    FunctionName=self.function,
                    CodeSha256=self.beginning.code_sha256,
                    RevisionId=configured.revision_id,
                )
        except AwsError as error:
            raise _explained(error, self.function) from error
        version = answer["Version"]
        if version in self.beginning.existing_versions or answer["MemorySize"] != size:
            raise Refused(
                f"function {self.function!r}: publishing {size} MB gave version {version} with "
                f"{answer['MemorySize']} MB, which this run did not make"
            )
        journal.published(size, version)
        self.versions[size] = version

    def _settled(self, *, stale_revision: str | None = None) -> Target:
        return wait_until_settled(
            self.client,
            self.function,
            self.beginning.region,
            self.pause,
            stale_revision=stale_revision,
        )

    def _wait_active(self, version: str) -> None:
        looks = 0

        def active() -> bool:
            nonlocal looks
            looks += 1
            try:
                with aws_call(f"read version {version} of {self.function}"):
                    answer = self.client.get_function(FunctionName=self.function, Qualifier=version)
            except AwsError as error:
                if error.code != _NOT_FOUND or looks > _LOOKS_FOR_A_NEW_VERSION:
                    raise
                return False
            state = answer["Configuration"].get("State", "Active")
            if state == "Failed":
                reason = answer["Configuration"].get("StateReason", "")
                raise AwsError(f"version {version} of {self.function} could not start: {reason}")
            return state != "Pending"

        _poll(active, self.pause, f"version {version} of {self.function} to become active")


def wait_until_settled(
    client: LambdaClient,
    function: str,
    region: str,
    pause: Pause,
    *,
    stale_revision: str | None = None,
) -> Target:
    """`$LATEST`, once no update is in progress.

    After an update, `stale_revision` is the revision before it: an answer that still carries it
    was read too early.

    Raises:
        AwsError: when it stays in progress.
    """
    latest: list[Target] = []

    def settled() -> bool:
        latest.append(read_target(client, function, region))
        return latest[-1].settled and latest[-1].revision_id != stale_revision

    _poll(settled, pause, f"the update of {function} to finish")
    return latest[-1]


def _poll(done: Callable[[], bool], pause: Pause, what: str) -> None:
    pause_s, waited_s = _POLL_FIRST_S, 0.0
    while not done():
        if waited_s > _SETTLE_TIMEOUT_S:
            raise AwsError(f"gave up waiting for {what} after {waited_s:.0f} s")
        pause(pause_s)
        waited_s += pause_s
        pause_s = min(pause_s * 1.5, _POLL_MOST_S)


def restore_latest(client: LambdaClient, function: str, beginning: Beginning, pause: Pause) -> bool:
    """Puts memory and Description of `$LATEST` back if this run's marker is on it.

    Without the marker it is either back already or somebody else's by now, and stays untouched.
    Code that was deployed meanwhile stays; a memory size that somebody else set stays as well.

    Returns:
        Whether anything was put back.
    """
    for _ in range(10):
        target = wait_until_settled(client, function, beginning.region, pause)
        marker = parse_marker(target.description)
        if marker is None or marker.run_id != beginning.run_id:
            return False
        memory = beginning.memory_mb if target.memory_mb == marker.size_mb else target.memory_mb
        try:
            with aws_call(f"put {function} back to {beginning.memory_mb} MB"):
                client.update_function_configuration(
                    FunctionName=function,
                    MemorySize=memory,
                    Description=beginning.description,
                    RevisionId=target.revision_id,
                )
        except AwsError as error:
            # Somebody else was faster: look again at what the function is now.
            if error.code not in ("PreconditionFailedException", _BUSY):
                raise
            pause(_POLL_MOST_S)
            continue
        wait_until_settled(client, function, beginning.region, pause)
        return True
    raise AwsError(
        f"could not put {function} back to {beginning.memory_mb} MB: it is being changed all the "
        "time",
        hint="run `tune restore`",
    )


def delete_versions(client: LambdaClient, function: str, beginning: Beginning) -> tuple[str, ...]:
    """Deletes the versions that carry this run's marker, each by its number.

    One that cannot be deleted does not keep the others.

    Returns:
        The deleted version numbers.

    Raises:
        AwsError: the first refusal, after all were tried.
    """
    deleted: list[str] = []
    refusals: list[AwsError] = []
    for version, description in list_versions(client, function).items():
        marker = parse_marker(description)
        if marker is None or marker.run_id != beginning.run_id:
            continue
        if version in beginning.existing_versions or not version.isdigit():
            # Without a number DeleteFunction would take the whole function.
            continue
        try:
            with aws_call(f"delete version {version} of {function}"):
                client.delete_function(FunctionName=function, Qualifier=version)
        except AwsError as error:
            if error.code != _NOT_FOUND:
                refusals.append(error)
            continue
        deleted.append(version)
    if refusals:
        raise refusals[0]
    return tuple(deleted)


def list_versions(client: LambdaClient, function: str) -> dict[str, str]:
    """The Description of each published version, by version number."""
    versions: dict[str, str] = {}
    with aws_call(f"list the versions of {function}"):
        for page in client.get_paginator("list_versions_by_function").paginate(
            FunctionName=function
        ):
            for item in page["Versions"]:
                versions[item["Version"]] = item.get("Description", "")
    versions.pop("$LATEST", None)
    return versions


def check_free(target: Target) -> None:
    """Makes sure that no other run holds the function.

    Raises:
        Refused: when `$LATEST` carries the marker of a run.
    """
    marker = parse_marker(target.description)
    if marker is not None:
        raise Refused(
            f"function {target.name!r} is held by tune run {marker.run_id}, which still works "
            "or was killed",
            hint="`tune restore` undoes what a killed run left",
        )


def _explained(error: AwsError, function: str) -> AwsError | Refused:
    changed = error.code == "PreconditionFailedException" or "CodeSHA256" in str(error)
    return Refused(_foreign(function)) if changed else error


def _foreign(function: str) -> str:
    return (
        f"function {function!r} was changed by somebody else while its sizes were published; "
        "the run's own changes are undone"
    )
