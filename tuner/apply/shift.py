"""Shifts an alias: a share of its calls first, and all of them when what is watched stays good."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.errors import BudgetFailed, Inconclusive, Interrupted
from core.interrupt import StopRequest
from reports.figures import percent
from tuner.apply.application import Application
from tuner.apply.checks import Aim
from tuner.apply.destination import Shift
from tuner.apply.judgement import LEAST_CALLS, Look, problem_of
from tuner.apply.watch import Counted, alarm_problem, check_problem
from tuner.hook_kinds.process import ProcessGroups

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

_LOOK_EVERY_S = 30.0
_CHECK_EVERY_S = 60.0
# Minutes of metrics become visible up to three minutes after they end: too few calls may be late.
_LATE_S = 180.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where time comes from: `wait` sleeps and says whether a stop came, `now_s` is Unix time."""

    wait: Callable[[float], bool]
    elapsed_s: Callable[[], float]
    now_s: Callable[[], float]


@dataclass(slots=True)
class Shifting:
    """A share of an alias's calls at the new version; `last` is what was counted of them last."""

    application: Application
    aim: Aim
    shift: Shift
    cloudwatch: CloudWatchClient
    counted: Counted
    clocks: Clocks
    stop: StopRequest
    say: Say
    environment: Mapping[str, str] = field(repr=False)
    groups: ProcessGroups = field(default_factory=ProcessGroups)
    last: Look | None = None
    _checked_s: float | None = None

    def watch(self) -> None:
        """Returns when the time is over and nothing is worse with the new version.

        Raises:
            BudgetFailed: with what is worse.
            Inconclusive: when the new version had too few calls to say so.
            Interrupted: when a stop came.
            Refused: when somebody else led the alias elsewhere.
            AwsError: when AWS does not answer.
        """
        clocks, shift = self.clocks, self.shift
        end_s = clocks.elapsed_s() + shift.seconds
        while (left_s := end_s - clocks.elapsed_s()) > 0:
            self._wait(min(left_s, _LOOK_EVERY_S))
            self._look(last=end_s - clocks.elapsed_s() <= 0)
        late_s = clocks.elapsed_s() + _LATE_S
        while not self._enough and clocks.elapsed_s() < late_s:
            self._wait(_LOOK_EVERY_S)
            self._look(last=False)
        if not self._enough:
            raise Inconclusive(self._too_few())

    @property
    def _enough(self) -> bool:
        return self.last is not None and self.last.enough

    def _wait(self, seconds: float) -> None:
        if self.clocks.wait(seconds):
            raise Interrupted("stopped while the alias was shifted", code=self.stop.exit_code)

    def _look(self, *, last: bool) -> None:
        self.application.check_alias()
        self.last = look = self.counted.look(self.clocks.now_s())
        self.say(
            f"version {self.counted.new}: {look.new.calls} calls, {look.new.errors} failed; "
            f"version {self.counted.old}: {look.old.calls} calls, {look.old.errors} failed"
        )
        problem = (
            problem_of(look, self.application.proposal.slower_at_most)
            or alarm_problem(self.cloudwatch, self.shift.alarms)
            or self._check(last=last)
        )
        if problem is not None:
            raise BudgetFailed(problem)
        if self.stop.requested:
            raise Interrupted("stopped while the alias was shifted", code=self.stop.exit_code)

    def _check(self, *, last: bool) -> str | None:
        """Runs the user's command once a minute, and at the end."""
        now_s = self.clocks.elapsed_s()
        due = self._checked_s is None or now_s - self._checked_s >= _CHECK_EVERY_S
        if not self.shift.check or not (due or last):
            return None
        self._checked_s = now_s
        environment = {
            **self.environment,
            "TUNE_FUNCTION": self.application.function,
            "TUNE_ALIAS": self.aim.alias.name,
            "TUNE_VERSION": self.counted.new,
        }
        return check_problem(
            self.shift.check, environment, self.groups, lambda: self.stop.requested
        )

    def _too_few(self) -> str:
        look = self.last
        new, old = (look.new.calls, look.old.calls) if look else (0, 0)
        return (
            f"too few calls to compare: {new} of the new version and {old} of the old one in "
            f"{self.shift.seconds:.0f} s at {percent(self.shift.share)}, at least {LEAST_CALLS} "
            "each are needed"
        )
