"""Publishes one version of one size: `$LATEST` to the size, the version, and until it is active.

Each step is in the journal before it happens. What AWS answers is compared with what was asked
for, because others may change the function at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from core.aws.session import aws_call
from core.errors import AwsError, Refused
from tuner.interference import foreign_change, same_settings
from tuner.journal import Beginning, Journal
from tuner.marker import keeping_description, marked_description, version_description
from tuner.settings import SettingsCopy, settings_of
from tuner.settle import (
    BUSY,
    CHANGED,
    NOT_FOUND,
    POLL_MOST_S,
    Pause,
    poll,
    wait_until_settled,
)
from tuner.target import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

# In the message with which AWS says that `$LATEST` has other code than is to be published.
_OTHER_CODE = "CodeSHA256"
# A version can be unknown for a moment after it was published: reads may lag behind writes.
_LOOKS_FOR_A_NEW_VERSION = 10
_TRIES = 10


@dataclass(slots=True)
class Publisher:
    """Publishes versions of the function that `planned` is; `test_mb` is what it has set last.

    `test_mb` is None once that was put back; until then, `copied` says that it was set with the
    settings of a version. `copy` are these, where a version is measured that has others.
    """

    client: LambdaClient
    planned: Target
    beginning: Beginning
    journal: Journal
    pause: Pause
    copy: SettingsCopy | None = None
    test_mb: int | None = None
    copied: bool = False

    @property
    def function(self) -> str:
        """The ARN of the function."""
        return self.planned.arn

    def configure(self, size: int, copy: int, target: Target) -> Target:
        """`$LATEST` with a test size, the copied settings and the run's mark; it was `target`.

        Raises:
            Refused: when somebody else changes it meanwhile.
            AwsError: when AWS does not go along.
        """
        begin, settings = self.beginning, self.copy
        description = marked_description(
            begin.run_id,
            size,
            begin.memory_mb,
            begin.description,
            copy=copy,
            settings_of=settings.version if settings else None,
        )
        wanted = replace(self.planned, memory_mb=size, description=description)
        if settings is None:
            return self._configured(wanted, target, {})
        wanted = replace(
            wanted, timeout_s=settings.timeout_s, settings_sha256=settings.settings_sha256
        )
        return self._configured(wanted, target, settings.wanted)

    def keep(self, settings: SettingsCopy, target: Target) -> Target:
        """`$LATEST`, which was `target`, after a version was published that keeps its settings.

        Those that are going to be replaced are set as they are, which changes nothing and shows
        that AWS takes them back: a layer may have been deleted, a runtime be no longer offered.

        Raises:
            Refused: when somebody else changes it meanwhile.
            AwsError: when AWS does not go along.
        """
        begin = self.beginning
        description = marked_description(
            begin.run_id, begin.memory_mb, begin.memory_mb, begin.description
        )
        configured = self._configured(
            replace(self.planned, description=description), target, settings.own
        )
        own = keeping_description(begin.run_id, begin.memory_mb, settings.version)
        self._publish(begin.memory_mb, own, configured)
        return configured

    def publish(self, size: int, copy: int, configured: Target) -> str:
        """The number of a new version of `$LATEST`, which is `configured`.

        Raises:
            Refused: when somebody else changes or publishes it meanwhile.
            AwsError: when AWS does not go along.
        """
        begin = self.beginning
        own = version_description(begin.run_id, size, begin.memory_mb, copy=copy)
        return self._publish(size, own, configured)

    def _configured(
        self, wanted: Target, target: Target, parameters: Mapping[str, object]
    ) -> Target:
        """`$LATEST`, which was `target`, once it is as `wanted`."""
        size = wanted.memory_mb
        self.journal.intend("configure", memory_mb=size, description=wanted.description)
        settled = self._updated(wanted, target, parameters)
        if not same_settings(settled, wanted):
            raise Refused(foreign_change(self.function))
        self._accepted(wanted)
        if settled.update_failure is not None:
            raise AwsError(
                f"{self.function} could not be set to {size} MB: {settled.update_failure}"
            )
        return settled

    def _publish(self, size: int, own: str, configured: Target) -> str:
        begin = self.beginning
        self.journal.intend("publish", memory_mb=size)
        answer = self._published(size, own, configured)
        version = answer.get("Version", "")
        # Where somebody else has published it a moment before, AWS gives theirs.
        shown = (answer.get("MemorySize"), answer.get("Description"))
        if version in begin.existing_versions or shown != (size, own):
            raise Refused(
                f"function {self.function!r}: publishing {size} MB gave version {version} with "
                f"{shown[0]} MB, which this run did not make: it is kept, and the "
                "run's own changes are undone"
            )
        if self.copy and settings_of(answer).sha256 != configured.settings_sha256:
            raise Refused(foreign_change(self.function))
        self.journal.published(size, version)
        return version

    def wait_active(self, version: str, stopped: Callable[[], bool]) -> None:
        """Returns when the version can be invoked, or when it is not going to be: on a stop."""
        looks = 0

        def active() -> bool:
            nonlocal looks
            if stopped():
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

    def settled(self, *, stale_revision: str | None = None) -> Target:
        """`$LATEST`, once no update is in progress."""
        return wait_until_settled(
            self.client,
            self.function,
            self.beginning.region,
            self.pause,
            stale_revision=stale_revision,
        )

    def _accepted(self, wanted: Target) -> None:
        self.test_mb = wanted.memory_mb
        self.copied = wanted.settings_sha256 != self.planned.settings_sha256
        self.journal.configured(wanted.memory_mb, copied=self.copied)

    def _updated(self, wanted: Target, target: Target, parameters: Mapping[str, object]) -> Target:
        """`$LATEST` after the update to `wanted`, or as somebody else made it meanwhile.

        Which of the two it is, only the function can tell: when the answer to an update is lost,
        boto3 tries again and is told that the revision has changed, or that an update is going on.
        """
        size, settings = wanted.memory_mb, cast("Any", parameters)
        for _ in range(_TRIES):
            try:
                with aws_call(f"set {self.function} to {size} MB for publishing"):
                    self.client.update_function_configuration(
                        FunctionName=self.function,
                        MemorySize=size,
                        Description=wanted.description,
                        RevisionId=target.revision_id,
                        **settings,
                    )
            except AwsError as error:
                again = self._after_refusal(error, target)
                if not same_settings(again, target):
                    if _carried_out(wanted, target, again):
                        # The answer was lost, and somebody has set another Description since.
                        self._accepted(wanted)
                    return again
                target = again
                continue
            self._accepted(wanted)
            return self.settled(stale_revision=target.revision_id)
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
            return self.settled(stale_revision=target.revision_id)
        if error.code != BUSY:
            raise error
        self.pause(POLL_MOST_S)
        return self.settled()

    def _published(
        self, size: int, description: str, configured: Target
    ) -> FunctionConfigurationResponseTypeDef:
        """The answer to publishing; a revision may be new though nothing else is.

        To ask again is safe: where the first version was published and its answer lost, AWS gives
        the same one again, or one more that carries the run's mark as well.
        """
        for _ in range(_TRIES):
            try:
                with aws_call(f"publish a version of {self.function} with {size} MB"):
                    return self.client.publish_version(
                        FunctionName=self.function,
                        CodeSha256=self.beginning.code_sha256,
                        RevisionId=configured.revision_id,
                        Description=description,
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


def _carried_out(wanted: Target, before: Target, now: Target) -> bool:
    """Whether the function has the size or the settings that it was to get, and had not."""
    return now.memory_mb == wanted.memory_mb != before.memory_mb or (
        now.settings_sha256 == wanted.settings_sha256 != before.settings_sha256
    )
