"""Borrows a function: one published version a size, `$LATEST` put back at once, all of it undone.

`$LATEST` carries a test size only while versions are published, before anything is measured.
Sizes are then invoked by version number, so live traffic never meets one. Everything is in the
journal before it happens, and undoing goes by what AWS shows (the run's marker in Descriptions)
rather than by what this process remembers; so a killed run is undone by the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.aws.session import aws_call
from core.errors import AwsError, Refused
from tuner.journal import Beginning, Journal
from tuner.marker import marked_description, parse_marker
from tuner.settle import POLL_MOST_S, Pause, poll, wait_until_settled
from tuner.target import Target
from tuner.undo import BUSY, CHANGED, NOT_FOUND, delete_versions, restore_latest

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# How AWS says that a size is more than the account may have: with 'MemorySize' or 'memorySize'.
_SIZE_REFUSALS = frozenset({"ValidationException", "InvalidParameterValueException"})
_SIZE_SETTING = "'memorysize'"
# A version can be unknown for a moment after it was published: reads may lag behind writes.
_LOOKS_FOR_A_NEW_VERSION = 10
_TRIES = 10


@dataclass(slots=True)
class Lease:
    """The versions that a run may invoke, by size, and the way back."""

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
            Refused: when somebody else changed the function since it was read, or does so
                meanwhile.
            AwsError: when AWS does not go along.
        """
        target = self._settled()
        check_free(target)
        _check_as_planned(target, self.beginning)
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
            self._wait_active(version, stop)

    def release(self) -> None:
        """Puts `$LATEST` back if it is not, and deletes the run's versions."""
        restore_latest(self.client, self.function, self.beginning, self.pause)
        delete_versions(self.client, self.function, self.beginning)

    def _configure(self, size: int, target: Target, journal: Journal) -> Target | None:
        begin = self.beginning
        description = marked_description(
            begin.run_id, size, begin.memory_mb, begin.code_sha256, begin.description
        )
        journal.intend("configure", memory_mb=size, description=description)
        try:
            settled = self._updated(size, description, target)
        except AwsError as error:
            if not _refuses_size(error):
                raise
            self.refused_sizes[size] = str(error)
            return None
        if settled.memory_mb != size or settled.description != description:
            raise Refused(_foreign(self.function))
        if settled.update_failure is not None:
            raise AwsError(
                f"{self.function} could not be set to {size} MB: {settled.update_failure}"
            )
        return settled

    def _updated(self, size: int, description: str, target: Target) -> Target:
        """`$LATEST` after the update to `size`, or as somebody else made it meanwhile.

        Which of the two it is, only the function can tell: when the answer to an update is lost,
        boto3 tries again and is told that the revision has changed, or that an update is going on.
        """
        before = target
        for _ in range(_TRIES):
            try:
                with aws_call(f"set {self.function} to {size} MB for publishing"):
                    self.client.update_function_configuration(
                        FunctionName=self.function,
                        MemorySize=size,
                        Description=description,
                        RevisionId=target.revision_id,
                    )
            except AwsError as error:
                if error.code == BUSY:
                    self.pause(POLL_MOST_S)
                    target = self._settled()
                    if _same_but_for_revision(target, before):
                        continue
                    return target
                if error.code != CHANGED:
                    raise
            return self._settled(stale_revision=target.revision_id)
        raise AwsError(
            f"{self.function} could not be set to {size} MB: it is being updated all the time",
            hint="start again when its deployment is over",
        )

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

    def _wait_active(self, version: str, stop: Callable[[], bool]) -> None:
        """Returns when the version can be invoked, or when it is not going to be: on `stop()`."""
        looks = 0

        def active() -> bool:
            nonlocal looks
            if stop():
                return True
            looks += 1
            try:
                with aws_call(f"read version {version} of {self.function}"):
                    answer = self.client.get_function(FunctionName=self.function, Qualifier=version)
            except AwsError as error:
                if error.code != NOT_FOUND or looks > _LOOKS_FOR_A_NEW_VERSION:
                    raise
                return False
            state = answer["Configuration"].get("State", "Active")
            if state == "Failed":
                reason = answer["Configuration"].get("StateReason", "")
                raise AwsError(f"version {version} of {self.function} could not start: {reason}")
            return state != "Pending"

        poll(active, self.pause, f"version {version} of {self.function} to become active")


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


def _check_as_planned(target: Target, beginning: Beginning) -> None:
    """Makes sure that the function still is what the plan and the way back were made from.

    Raises:
        Refused: with what changed, for example while the question about the cost was open.
    """
    facts = [
        ("memory in MB", beginning.memory_mb, target.memory_mb),
        ("description", beginning.description, target.description),
        ("code", beginning.code_sha256, target.code_sha256),
    ]
    changes = [f"{name} from {was!r} to {now!r}" for name, was, now in facts if was != now]
    was, now = beginning.revision_id, target.revision_id
    if not changes and was not in (None, now):
        changes = [f"another setting, revision from {was!r} to {now!r}"]
    if changes:
        raise Refused(
            f"function {target.name!r} was changed by somebody else after the run was planned: "
            f"{', '.join(changes)}; nothing was changed by the run",
            hint="start it again",
        )


def _refuses_size(error: AwsError) -> bool:
    """Whether AWS does not offer the size to this account.

    The same codes stand for much else (an old runtime, a role), so the message must name the
    setting.
    """
    return error.code in _SIZE_REFUSALS and _SIZE_SETTING in str(error).lower()


def _same_but_for_revision(one: Target, other: Target) -> bool:
    return replace(one, revision_id=other.revision_id) == other


def _explained(error: AwsError, function: str) -> AwsError | Refused:
    changed = error.code == CHANGED or "CodeSHA256" in str(error)
    return Refused(_foreign(function)) if changed else error


def _foreign(function: str) -> str:
    return (
        f"function {function!r} was changed by somebody else while its sizes were published; "
        "the run's own changes are undone"
    )
