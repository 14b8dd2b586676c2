"""Borrows a function: versions at test sizes, `$LATEST` put back after each, all of it undone.

`$LATEST` carries a test size only while a version is published, and no call is in flight then.
Sizes are invoked by version number, so live traffic never meets one. Everything is in the
journal before it happens, and undoing goes by what AWS shows (the run's marker in Descriptions)
rather than by what this process remembers; so a killed run is undone by the same code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.aws.session import aws_call
from core.errors import AwsError, Refused
from tuner.interference import (
    check_as_left,
    check_as_planned,
    check_free,
    foreign_change,
    same_settings,
)
from tuner.journal import Beginning, Journal
from tuner.marker import marked_description
from tuner.settle import POLL_MOST_S, Pause, poll, wait_until_settled
from tuner.target import Target
from tuner.undo import BUSY, CHANGED, NOT_FOUND, delete_version, delete_versions, restore_latest

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

# How AWS says that a size is more than the account may have: with 'MemorySize' or 'memorySize'.
_SIZE_REFUSALS = frozenset({"ValidationException", "InvalidParameterValueException"})
_SIZE_SETTING = "'memorysize'"
# In the message with which AWS says that `$LATEST` has other code than is to be published.
_OTHER_CODE = "CodeSHA256"
# A version can be unknown for a moment after it was published: reads may lag behind writes.
_LOOKS_FOR_A_NEW_VERSION = 10
_TRIES = 10


@dataclass(slots=True)
class Lease:
    """The versions that a run may invoke, and the way back to `planned`.

    `versions` has the first one of each size, `made` all of them. `refused_sizes` are those that
    the account does not offer, with why. After `stopped()` nothing more is published.
    """

    client: LambdaClient
    planned: Target
    beginning: Beginning
    journal: Journal
    pause: Pause
    stopped: Callable[[], bool]
    versions: dict[int, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    refused_sizes: dict[int, str] = field(default_factory=dict)
    _copies: Counter[int] = field(default_factory=Counter)
    _was_held: bool = False
    _test_mb: int | None = None  # what $LATEST is at, as far as this run set it

    @property
    def function(self) -> str:
        """The ARN of the function."""
        return self.planned.arn

    def publish(self, sizes_mb: Sequence[int]) -> None:
        """Publishes a version for each size that has none, and then puts `$LATEST` back.

        Returns early when `stopped()`; whatever happens, `release` undoes what was done.

        Raises:
            Refused: when somebody else changed the function since it was read, or since this run
                last left it, or does so meanwhile.
            AwsError: when AWS does not go along.
        """
        self._publish_all([size for size in sizes_mb if size not in self.versions])

    def publish_again(self, size: int) -> str | None:
        """Publishes one more version of `size`, which starts with an environment of its own.

        None where nothing was published: when `stopped()`, or where the size is refused.

        Raises:
            Refused, AwsError: as `publish` does.
        """
        before = len(self.made)
        self._publish_all([size])
        return self.made[-1] if len(self.made) > before else None

    def discard(self, version: str) -> None:
        """Deletes a version of this run that is not needed any more; `release` tries again."""
        if version in self.made:
            with suppress(AwsError):
                delete_version(self.client, self.function, version)

    def release(self) -> None:
        """Puts `$LATEST` back if it is not, and deletes the run's versions."""
        self._put_back()
        delete_versions(self.client, self.function, self.beginning)

    def _publish_all(self, sizes_mb: Sequence[int]) -> None:
        published: list[str] = []
        target: Target | None = None
        for size in sizes_mb:
            if self.stopped():
                break
            if self._refused_already(size):
                continue
            target = target or self._as_left()
            configured = self._configure(size, target)
            if configured is None:
                continue
            published.append(self._publish(size, configured))
            target = configured
        if not published:
            return
        self._restore()
        for version in published:
            self._wait_active(version)

    def _refused_already(self, size: int) -> bool:
        """Whether a smaller size is more than the account may have: then so is this one."""
        smaller = min((refused for refused in self.refused_sizes if refused <= size), default=None)
        if smaller is not None:
            self.refused_sizes.setdefault(size, self.refused_sizes[smaller])
        return smaller is not None

    def _as_left(self) -> Target:
        """`$LATEST`, settled, when it still is as it was planned or as this run left it."""
        target = self._settled()
        check_free(target)
        check = check_as_left if self._was_held else check_as_planned
        check(target, self.planned)
        self._was_held = True
        return target

    def _restore(self) -> None:
        self.journal.intend("restore")
        # None where the marker is gone: the answer to putting it back was lost, or somebody else
        # has put a Description of their own there.
        restored = self._put_back() or self._settled()
        check_as_left(restored, self.planned)

    def _put_back(self) -> Target | None:
        restored = restore_latest(
            self.client, self.function, self.beginning, self.pause, test_mb=self._test_mb
        )
        self._test_mb = None
        return restored

    def _configure(self, size: int, target: Target) -> Target | None:
        begin = self.beginning
        self._copies[size] += 1
        description = marked_description(
            begin.run_id,
            size,
            begin.memory_mb,
            begin.code_sha256,
            begin.description,
            copy=self._copies[size],
        )
        self.journal.intend("configure", memory_mb=size, description=description)
        try:
            settled = self._updated(size, description, target)
        except AwsError as error:
            if not _refuses_size(error):
                raise
            self.refused_sizes[size] = str(error)
            return None
        if not same_settings(
            settled, replace(self.planned, memory_mb=size, description=description)
        ):
            raise Refused(foreign_change(self.function))
        self._test_mb = size
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
                again = self._after_refusal(error, target)
                if not same_settings(again, target):
                    return again
                target = again
                continue
            self._test_mb = size
            return self._settled(stale_revision=target.revision_id)
        raise AwsError(
            f"{self.function} could not be set to {size} MB: it is being updated all the time",
            hint="start again when its deployment is over",
        )

    def _after_refusal(self, error: AwsError, target: Target) -> Target:
        """`$LATEST` after a change of it was refused because it is not `target` any more.

        Raises:
            AwsError: `error`, where it was refused for another reason.
        """
        if error.code == CHANGED:
            return self._settled(stale_revision=target.revision_id)
        if error.code != BUSY:
            raise error
        self.pause(POLL_MOST_S)
        return self._settled()

    def _publish(self, size: int, configured: Target) -> str:
        self.journal.intend("publish", memory_mb=size)
        answer = self._published(size, configured)
        version = answer["Version"]
        known = (*self.beginning.existing_versions, *self.made)
        if version in known or answer["MemorySize"] != size:
            raise Refused(
                f"function {self.function!r}: publishing {size} MB gave version {version} with "
                f"{answer['MemorySize']} MB, which this run did not make"
            )
        self.journal.published(size, version)
        self.made.append(version)
        self.versions.setdefault(size, version)
        return version

    def _published(self, size: int, configured: Target) -> FunctionConfigurationResponseTypeDef:
        """The answer to publishing; a revision may be new though nothing else is.

        To ask again is safe: where the first version was published and its answer lost, AWS gives
        the same one again.
        """
        for _ in range(_TRIES):
            try:
                with aws_call(f"publish a version of {self.function} with {size} MB"):
                    return self.client.publish_version(
                        FunctionName=self.function,
                        CodeSha256=self.beginning.code_sha256,
                        RevisionId=configured.revision_id,
                    )
            except AwsError as error:
                if _OTHER_CODE in str(error):
                    raise Refused(foreign_change(self.function)) from error
                again = self._after_refusal(error, configured)
                if not same_settings(again, configured):
                    raise Refused(foreign_change(self.function)) from error
                configured = again
        raise AwsError(
            f"no version of {self.function} with {size} MB could be published: it is being updated "
            "all the time",
            hint="start again when its deployment is over",
        )

    def _settled(self, *, stale_revision: str | None = None) -> Target:
        return wait_until_settled(
            self.client,
            self.function,
            self.beginning.region,
            self.pause,
            stale_revision=stale_revision,
        )

    def _wait_active(self, version: str) -> None:
        """Returns when the version can be invoked, or when it is not going to be: on a stop."""
        looks = 0

        def active() -> bool:
            nonlocal looks
            if self.stopped():
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


def _refuses_size(error: AwsError) -> bool:
    """Whether AWS does not offer the size to this account.

    The same codes stand for much else (an old runtime, a role), so the message must name the
    setting.
    """
    return error.code in _SIZE_REFUSALS and _SIZE_SETTING in str(error).lower()
