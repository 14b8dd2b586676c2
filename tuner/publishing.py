"""Publishes one version of one size: `$LATEST` to the size, and the version.

Each step is in the journal before it happens. What AWS answers is compared with what was asked
for, because others may change the function at any moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from core.aws.session import aws_call
from core.errors import AwsError, Refused
from tuner.interference import foreign_change, same_settings
from tuner.journal import Beginning, Journal
from tuner.marker import keeping_description, marked_description, version_description
from tuner.new_version import publish
from tuner.settings import SettingsCopy, settings_of
from tuner.settle import Pause, after_refusal, wait_until_settled
from tuner.target import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

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
        foreign = foreign_change(self.function)
        answer = publish(self.client, configured, own, self.pause, foreign)
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
            raise Refused(foreign)
        self.journal.published(size, version)
        return version

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
                again = after_refusal(self.client, error, target, self.pause)
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


def _carried_out(wanted: Target, before: Target, now: Target) -> bool:
    """Whether the function has the size or the settings that it was to get, and had not."""
    return now.memory_mb == wanted.memory_mb != before.memory_mb or (
        now.settings_sha256 == wanted.settings_sha256 != before.settings_sha256
    )
