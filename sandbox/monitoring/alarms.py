"""Metric alarms: kept, listed and set by hand. Nothing evaluates them: SetAlarmState does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.api_errors import ApiError
from sandbox.lambda_api.names import Home
from sandbox.monitoring.refusals import invalid_value

# What an account may have (CloudWatch quotas, 2026).
MAX_ALARMS = 5_000
_PAGE = 50
_MOST_SHOWN = 100
# Of PutMetricAlarm: what is kept as it was given.
_KEPT = (
    "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions",
    "InsufficientDataActions", "MetricName", "Namespace", "Statistic", "ExtendedStatistic",
    "Dimensions", "Period", "Unit", "EvaluationPeriods", "DatapointsToAlarm", "Threshold",
    "ComparisonOperator", "TreatMissingData",
)  # fmt: skip


class MetricAlarms:
    """The alarms of the account, by name."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._alarms: dict[str, dict[str, Any]] = {}

    def put_metric_alarm(self, parameters: Mapping[str, Any]) -> None:
        """Makes an alarm, or changes one; a new one has no data yet."""
        name = parameters["AlarmName"]
        if name not in self._alarms and len(self._alarms) >= MAX_ALARMS:
            raise ApiError("LimitExceededFault", f"There are {MAX_ALARMS:,} alarms at most.")
        before = self._alarms.get(name, {})
        now = datetime.now(UTC)
        self._alarms[name] = {
            **{key: parameters[key] for key in _KEPT if key in parameters},
            "AlarmArn": f"arn:aws:cloudwatch:{self._home.region}:{self._home.account_id}:"
            f"alarm:{name}",
            "AlarmConfigurationUpdatedTimestamp": now,
            "StateValue": before.get("StateValue", "INSUFFICIENT_DATA"),
            "StateReason": before.get("StateReason", "Unchecked: Initial alarm creation"),
            "StateUpdatedTimestamp": before.get("StateUpdatedTimestamp", now),
        }

    def set_alarm_state(self, parameters: Mapping[str, Any]) -> None:
        """Sets the state of an alarm; no evaluation ever changes it back."""
        alarm = self._alarms.get(parameters["AlarmName"])
        if alarm is None:
            raise ApiError("ResourceNotFound", "Alarm not found.", status=404)
        alarm["StateValue"] = parameters["StateValue"]
        alarm["StateReason"] = parameters["StateReason"]
        alarm["StateUpdatedTimestamp"] = datetime.now(UTC)

    def describe_alarms(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One page of the alarms, of those that are named or that begin with a prefix."""
        names, prefix = parameters.get("AlarmNames"), parameters.get("AlarmNamePrefix", "")
        if names and prefix:
            raise invalid_value("AlarmNamePrefix and AlarmNames are mutually exclusive.")
        kinds = parameters.get("AlarmTypes", ["MetricAlarm"])
        found = [
            alarm
            for name, alarm in sorted(self._alarms.items())
            if (not names or name in names)
            and name.startswith(prefix)
            and parameters.get("StateValue", alarm["StateValue"]) == alarm["StateValue"]
            and name > parameters.get("NextToken", "")
        ]
        if "MetricAlarm" not in kinds:
            found = []
        shown = found[: min(parameters.get("MaxRecords", _PAGE), _MOST_SHOWN)]
        answer: dict[str, Any] = {"MetricAlarms": shown, "CompositeAlarms": []}
        return (
            {**answer, "NextToken": shown[-1]["AlarmName"]} if len(shown) < len(found) else answer
        )

    def delete_alarms(self, parameters: Mapping[str, Any]) -> None:
        """Forgets alarms; those that do not exist are forgotten already."""
        for name in parameters["AlarmNames"]:
            self._alarms.pop(name, None)
