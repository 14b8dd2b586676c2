"""What is watched while an alias is shifted: metrics of both versions, alarms, a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.aws.session import aws_call
from core.aws.version_metrics import AliasMetrics
from core.errors import InputError, Refused
from tuner.apply.judgement import Look
from tuner.hook_kinds.process import Child, ChildError, ChildStopped, Patience, ProcessGroups
from tuner.hook_kinds.told import last_words

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

_ALARM = "ALARM"
_MOST_ALARMS = 100  # names that DescribeAlarms takes at once
_CHECK_TIMEOUT_S = 300.0
_MOST_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Counted:
    """Reads the metrics of an alias on its way from version `old` to version `new`.

    `start_s` is when the shift began (Unix time); `before_s` is how long a time before it is
    compared with.
    """

    metrics: AliasMetrics
    old: str
    new: str
    start_s: float
    before_s: float

    def look(self, now_s: float) -> Look:
        """All that CloudWatch shows by now.

        Raises:
            AwsError: when it does not answer.
        """
        read = self.metrics.read
        return Look(
            new=read(self.start_s, now_s, version=self.new),
            old=read(self.start_s, now_s, version=self.old),
            alias=read(self.start_s, now_s),
            before=read(self.start_s - self.before_s, self.start_s),
        )


def check_alarms(client: CloudWatchClient, names: Sequence[str]) -> None:
    """Makes sure that there are these alarms, and that none rings already.

    Raises:
        InputError: naming those that do not exist.
        Refused: naming those that ring.
    """
    if len(names) > _MOST_ALARMS:
        raise InputError(f"--alarm: expected at most {_MOST_ALARMS} alarms (got {len(names)})")
    states = _states(client, names)
    missing = sorted(set(names) - set(states))
    if missing:
        raise InputError(f"--alarm: no such alarm in this region: {', '.join(missing)}")
    ringing = [name for name, state in states.items() if state == _ALARM]
    if ringing:
        raise Refused(f"{_alarms(ringing)} before anything is changed")


def alarm_problem(client: CloudWatchClient, names: Sequence[str]) -> str | None:
    """Which alarms ring, or cannot ring any more, in words; None when all is quiet.

    Raises:
        AwsError: when AWS does not say.
    """
    states = _states(client, names)
    gone = sorted(set(names) - set(states))
    if gone:
        return f"alarm {', '.join(gone)} is not there any more"
    ringing = [name for name, state in states.items() if state == _ALARM]
    return _alarms(ringing) if ringing else None


def _states(client: CloudWatchClient, names: Sequence[str]) -> dict[str, str]:
    if not names:
        return {}
    with aws_call(f"read the state of alarm {', '.join(names)}"):
        answer = client.describe_alarms(
            AlarmNames=list(names),
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            MaxRecords=_MOST_ALARMS,
        )
    found = (*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", []))
    return {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}


def _alarms(names: Sequence[str]) -> str:
    return f"alarm {', '.join(names)} is in state ALARM"


def check_problem(
    command: Sequence[str],
    environment: Mapping[str, str],
    groups: ProcessGroups,
    stopped: Callable[[], bool],
) -> str | None:
    """What the user's command finds, in words; None when it ends with 0, or is stopped.

    It is ended after five minutes, which is a problem. While it runs, `groups` has it.
    """
    try:
        child = Child(command, environment, groups, most_bytes=_MOST_BYTES)
        try:
            child.finish(b"", Patience(_CHECK_TIMEOUT_S, stopped))
        finally:
            child.end()
    except ChildError as error:
        said = ": ".join(part for part in (str(error), last_words(error)) if part)
        return f"--check {command[0]}: {said}"
    except ChildStopped:
        return None
    return None
