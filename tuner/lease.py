"""Borrows a function: versions at test sizes, `$LATEST` put back after each, all of it undone.

`$LATEST` carries a test size only while a version is published, and no call is in flight then.
Sizes are invoked by version number, so live traffic never meets one. Everything is in the
journal before it happens, and undoing goes by what AWS shows (the run's marks in Descriptions)
rather than by what this process remembers; so a killed run is undone by the same code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.errors import AwsError
from tuner.interference import check_as_left, check_as_planned, check_free
from tuner.journal import Beginning, Journal, Traces
from tuner.new_version import wait_active
from tuner.publishing import Publisher
from tuner.release import undo_run
from tuner.settings import SettingsCopy
from tuner.settle import Pause
from tuner.target import Target
from tuner.undo import restore_latest
from tuner.versions import delete_version

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# How AWS says that a size is more than the account may have: with 'MemorySize' or 'memorySize'.
_SIZE_REFUSALS = frozenset({"ValidationException", "InvalidParameterValueException"})
_SIZE_SETTING = "'memorysize'"


@dataclass(slots=True)
class Lease:
    """The versions that a run may invoke, and the way back to `planned`.

    `versions` has the first one of each size, `made` all of them. `refused_sizes` are those that
    the account does not offer, with why. After `stopped()` nothing more is published. `patient` is
    a client that tries longer, for putting things back: the same one where there is none. With
    `copy`, `$LATEST` has the settings of a version while sizes are published. `doubts` are what to
    tell of settings after `release`.
    """

    client: LambdaClient
    planned: Target
    beginning: Beginning
    journal: Journal
    pause: Pause
    stopped: Callable[[], bool]
    patient: LambdaClient | None = None
    copy: SettingsCopy | None = None
    doubts: list[str] = field(default_factory=list)
    versions: dict[int, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    refused_sizes: dict[int, str] = field(default_factory=dict)
    _copies: Counter[int] = field(default_factory=Counter)
    _was_held: bool = False
    _keeping: bool = False
    _keeps: bool = False
    _publisher: Publisher = field(init=False)

    def __post_init__(self) -> None:
        self._publisher = Publisher(
            self.client, self.planned, self.beginning, self.journal, self.pause, self.copy
        )

    @property
    def function(self) -> str:
        """The ARN of the function."""
        return self.planned.arn

    @property
    def has_changed(self) -> bool:
        """Whether the run may have changed anything: then there is something to undo."""
        return bool(self._copies) or self._keeping

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
                run_id = self.beginning.run_id
                delete_version(self.client, self.function, version, run_id, self.pause)

    def release(self) -> tuple[str, ...]:
        """Puts `$LATEST` back if it is not, and deletes the run's versions.

        Returns:
            Versions that somebody else published while the run had set a test size; they stay.

        Raises:
            ToolError: the first refusal, after both were tried.
        """
        if not self.has_changed:
            return ()
        undone = undo_run(self._undoing, self.function, self.beginning, self.pause, self._traces)
        self.doubts.extend(undone.doubts)
        return undone.versions.met

    @property
    def _undoing(self) -> LambdaClient:
        return self.patient or self.client

    @property
    def _traces(self) -> Traces:
        publisher = self._publisher
        return Traces(changed=self.has_changed, test_mb=publisher.test_mb, copied=publisher.copied)

    def _publish_all(self, sizes_mb: Sequence[int]) -> None:
        published: list[str] = []
        target: Target | None = None
        keeps_already = self._keeps
        for size in sizes_mb:
            if self.stopped():
                break
            if self._refused_already(size):
                continue
            target = target or self._kept(self._as_left())
            configured = self._configure(size, target)
            if configured is None:
                continue
            published.append(self._publish(size, configured))
            target = configured
        if not published and self._keeps == keeps_already:
            return
        self._restore()
        for version in published:
            wait_active(self.client, self.function, version, self.pause, self.stopped)

    def _refused_already(self, size: int) -> bool:
        """Whether a smaller size is more than the account may have: then so is this one."""
        smaller = min((refused for refused in self.refused_sizes if refused <= size), default=None)
        if smaller is not None:
            self.refused_sizes.setdefault(size, self.refused_sizes[smaller])
        return smaller is not None

    def _as_left(self) -> Target:
        """`$LATEST`, settled, when it still is as it was planned or as this run left it."""
        target = self._publisher.settled()
        check_free(target)
        check = check_as_left if self._was_held else check_as_planned
        check(target, self.planned)
        self._was_held = True
        return target

    def _kept(self, target: Target) -> Target:
        """`$LATEST`, when a version keeps what of its settings is going to be replaced."""
        if self.copy is None or self._keeps:
            return target
        self._keeping = True
        target = self._publisher.keep(self.copy, target)
        self._keeps = True
        return target

    def _configure(self, size: int, target: Target) -> Target | None:
        """`$LATEST` at a test size; None where the account does not offer it."""
        self._copies[size] += 1
        try:
            return self._publisher.configure(size, self._copies[size], target)
        except AwsError as error:
            if not _refuses_size(error):
                raise
            self.refused_sizes[size] = str(error)
            return None

    def _publish(self, size: int, configured: Target) -> str:
        version = self._publisher.publish(size, self._copies[size], configured)
        self.made.append(version)
        self.versions.setdefault(size, version)
        return version

    def _restore(self) -> None:
        self.journal.intend("restore")
        # Where the mark is gone, the answer to putting it back was lost, or somebody else has put a
        # Description of their own there.
        check_as_left(self._put_back(), self.planned)
        self.journal.restored()

    def _put_back(self) -> Target:
        restoration = restore_latest(
            self._undoing, self.function, self.beginning, self.pause, self._traces
        )
        self._publisher.test_mb, self._publisher.copied = None, False
        return restoration.target


def _refuses_size(error: AwsError) -> bool:
    """Whether AWS does not offer the size to this account.

    The same codes stand for much else (an old runtime, a role), so the message must name the
    setting.
    """
    return error.code in _SIZE_REFUSALS and _SIZE_SETTING in str(error).lower()
