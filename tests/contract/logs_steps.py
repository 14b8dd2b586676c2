"""CloudWatch Logs: groups, streams and events."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.contract.account import Account, refused, until
from tests.contract.functions import call, new_function
from tests.contract.step import step

_DAY_MS = 86_400_000


def new_stream(aws: Account) -> dict[str, str]:
    """A new stream of a new group: what names them in further calls."""
    logs = aws.client("logs")
    named = {"logGroupName": aws.name("/shop/group"), "logStreamName": "main"}
    logs.create_log_group(logGroupName=named["logGroupName"])
    aws.later(logs.delete_log_group, logGroupName=named["logGroupName"])
    logs.create_log_stream(**named)
    return named


def put(aws: Account, named: dict[str, str], *messages: str) -> int:
    """Puts messages a millisecond apart, as of a minute ago; gives the time of the first, in ms."""
    begin = int(time.time() * 1000) - 60_000
    events = [
        {"timestamp": begin + index, "message": message} for index, message in enumerate(messages)
    ]
    aws.client("logs").put_log_events(**named, logEvents=events)
    return begin


@step()
def a_group_is_made_once(aws: Account) -> None:
    logs = aws.client("logs")
    group = aws.name("/shop/group")
    logs.create_log_group(logGroupName=group)
    aws.later(logs.delete_log_group, logGroupName=group)
    taken = refused(logs.create_log_group, logGroupName=group)
    assert taken == ("ResourceAlreadyExistsException", 400)
    (shown,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert shown["logGroupName"] == group
    assert shown["arn"] == f"arn:aws:logs:us-east-1:{aws.id}:log-group:{group}:*"
    assert "retentionInDays" not in shown
    logs.delete_log_group(logGroupName=group)
    gone = refused(logs.delete_log_group, logGroupName=group)
    assert gone == ("ResourceNotFoundException", 400)


@step()
def a_stream_is_made_once(aws: Account) -> None:
    named = new_stream(aws)
    logs = aws.client("logs")
    taken = refused(logs.create_log_stream, **named)
    assert taken == ("ResourceAlreadyExistsException", 400)
    lost = refused(logs.create_log_stream, logGroupName=aws.name("none"), logStreamName="main")
    assert lost == ("ResourceNotFoundException", 400)


@step(moto="accepts any number of days")
def retention_is_one_of_a_few(aws: Account) -> None:
    named = new_stream(aws)
    logs = aws.client("logs")
    group = named["logGroupName"]
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    (shown,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert shown["retentionInDays"] == 7
    wrong = refused(logs.put_retention_policy, logGroupName=group, retentionInDays=8)
    assert wrong == ("InvalidParameterException", 400)


@step()
def events_are_read_in_order(aws: Account) -> None:
    named = new_stream(aws)
    begin = put(aws, named, "one", "two", "three")
    logs = aws.client("logs")
    shown = logs.get_log_events(**named, startFromHead=True)
    assert [(event["timestamp"] - begin, event["message"]) for event in shown["events"]] == [
        (0, "one"),
        (1, "two"),
        (2, "three"),
    ]
    further = logs.get_log_events(**named, nextToken=shown["nextForwardToken"])
    assert further["events"] == []
    assert further["nextForwardToken"] == shown["nextForwardToken"]
    first = logs.get_log_events(**named, startFromHead=True, limit=1)
    assert [event["message"] for event in first["events"]] == ["one"]


@step()
def events_need_their_stream(aws: Account) -> None:
    named = new_stream(aws)
    events = [{"timestamp": int(time.time() * 1000), "message": "one"}]
    lost = refused(
        aws.client("logs").put_log_events,
        **{**named, "logStreamName": "none"},
        logEvents=events,
    )
    assert lost == ("ResourceNotFoundException", 400)


@step(
    moto="the index is that of the last old event, not the one after it", ministack="accepts them"
)
def events_too_old_are_told_of(aws: Account) -> None:
    named = new_stream(aws)
    now = int(time.time() * 1000)
    events = [
        {"timestamp": now - 15 * _DAY_MS, "message": "old"},
        {"timestamp": now, "message": "new"},
    ]
    logs = aws.client("logs")
    answer = logs.put_log_events(**named, logEvents=events)
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    shown = until(lambda: logs.get_log_events(**named, startFromHead=True)["events"])
    assert [event["message"] for event in shown] == ["new"]


@step(moto="does not know terms to leave out", ministack="does not know optional terms")
def events_are_filtered_by_terms(aws: Account) -> None:
    named = new_stream(aws)
    put(aws, named, "ERROR order 7", "INFO order 7", "ERROR cart 9 slow")
    for pattern, expected in (
        ("ERROR", ["ERROR order 7", "ERROR cart 9 slow"]),
        ("ERROR order", ["ERROR order 7"]),
        ("ERROR -slow", ["ERROR order 7"]),
        ("?INFO ?cart", ["INFO order 7", "ERROR cart 9 slow"]),
        ('"order 7"', ["ERROR order 7", "INFO order 7"]),
    ):
        assert _filtered(aws, named, pattern) == expected, pattern


@step(moto="does not know JSON patterns", ministack="does not know JSON patterns")
def events_are_filtered_by_members(aws: Account) -> None:
    named = new_stream(aws)
    lines = [json.dumps({"status": status, "path": path}) for status, path in _REQUESTS]
    put(aws, named, *lines)
    for pattern, expected in (
        ("{ $.status = 429 }", [lines[1]]),
        ("{ $.status >= 400 }", lines[1:]),
        ('{ $.path = "/orders" && $.status = 200 }', [lines[0]]),
        ('{ $.path = "/c*" }', [lines[2]]),
    ):
        assert _filtered(aws, named, pattern) == expected, pattern


_REQUESTS = ((200, "/orders"), (429, "/orders"), (500, "/carts"))


@step()
def events_are_filtered_by_time(aws: Account) -> None:
    named = new_stream(aws)
    begin = put(aws, named, "one", "two", "three")
    # The start is included and the end is as well.
    found = _filtered(aws, named, "", startTime=begin + 1, endTime=begin + 2)
    assert found == ["two", "three"]


@step(moto="no logs of functions")
def functions_have_logs(aws: Account) -> None:
    name = new_function(aws, "def handler(event, context):\n    print('sold a lamp')\n")
    call(aws, name)
    logs = aws.client("logs")

    def messages() -> list[str]:
        try:
            found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in found]

    def is_complete() -> list[str]:
        found = messages()
        return found if any(message.startswith("REPORT ") for message in found) else []

    lines = until(is_complete)
    for beginning in ("START RequestId: ", "sold a lamp", "END RequestId: "):
        assert any(line.startswith(beginning) for line in lines), beginning


def _filtered(aws: Account, named: dict[str, str], pattern: str, **more: Any) -> list[str]:
    found = aws.client("logs").filter_log_events(
        logGroupName=named["logGroupName"], filterPattern=pattern, **more
    )
    return [event["message"] for event in found["events"]]
