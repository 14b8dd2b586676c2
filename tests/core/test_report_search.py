"""A REPORT that the tail of an answer lacks is found in the log group, within bounds."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from core.aws.invocation import Invocation
from core.aws.report_line import Report
from core.aws.report_search import ReportSearch
from core.aws.session import AwsSession
from tests.core.aws_server import REQUEST_ID, AwsServer, Request, answer, aws_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_logs import CloudWatchLogsClient

ENDED = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
# As FilterLogEvents gives it (CloudWatch Logs API reference): the event keeps its line end.
TEXT = (
    f"REPORT RequestId: {REQUEST_ID}\tDuration: 12.34 ms\tBilled Duration: 13 ms\t"
    "Memory Size: 512 MB\tMax Memory Used: 39 MB\t\n"
    "XRAY TraceId: 1-5759e988-bd862e3fe1be46a994272793\tSegmentId: 6f4f\tSampled: true\n"
)
JSON = json.dumps(
    {
        "time": "2026-03-04T11:59:59.900Z",
        "type": "platform.report",
        "record": {
            "requestId": REQUEST_ID,
            "status": "success",
            "metrics": {
                "durationMs": 12.34,
                "billedDurationMs": 13,
                "memorySizeMB": 512,
                "maxMemoryUsedMB": 39,
            },
        },
    }
)
DENIED = {"__type": "AccessDeniedException", "Message": "User is not authorized"}
NO_GROUP = {"__type": "ResourceNotFoundException", "Message": "The log group does not exist."}


def invocation(error_type: str | None = None) -> Invocation:
    return Invocation(REQUEST_ID, ENDED, 2000.0, "7", None, error_type, None, ENDED)


def events(*messages: str, token: str | None = None) -> bytes:
    shown = [{"message": message, "timestamp": 1, "logStreamName": "s"} for message in messages]
    return answer(json.dumps({"events": shown, "nextToken": token}).encode())


def refused(error: dict[str, str]) -> bytes:
    return answer(json.dumps(error).encode(), status="400 Bad Request")


class Searches:
    """Searches through a real server; pauses are noted and not waited for."""

    def __init__(self, server: AwsServer) -> None:
        self.server = server
        self.pauses_s: list[float] = []
        self.stop_after: int | None = None
        self.connected = 0

    def connect(self) -> CloudWatchLogsClient:
        self.connected += 1
        return AwsSession(local=self.server.access).logs()

    def wait(self, seconds: float) -> bool:
        self.pauses_s.append(seconds)
        return self.stop_after is not None and len(self.pauses_s) >= self.stop_after

    def search(self, *, is_json: bool = False) -> ReportSearch:
        return ReportSearch(self.connect, "/own/group", is_json, self.wait)

    def asked(self) -> list[dict[str, object]]:
        return [json.loads(request.body) for request in self.server.requests]


Answering = Callable[[Callable[[Request], bytes]], Searches]


@pytest.fixture
def answering() -> Iterator[Answering]:
    opened = []

    def start(respond: Callable[[Request], bytes]) -> Searches:
        context = aws_server(respond)
        opened.append(context)
        return Searches(context.__enter__())

    yield start
    for context in opened:
        context.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("message", "is_json"),
    [pytest.param(TEXT, False, id="text"), pytest.param(JSON, True, id="JSON")],
)
def test_a_report_is_found_by_its_request_id_in_the_time_of_the_call(
    answering: Answering, message: str, *, is_json: bool
) -> None:
    searches = answering(lambda request: events("START", message))
    search = searches.search(is_json=is_json)

    found = search.find(invocation())

    assert isinstance(found, Report)
    assert (found.duration_ms, found.billed_ms, found.max_memory_used_mb) == (12.34, 13, 39)
    kind = "platform.report" if is_json else "REPORT"
    ended_ms = ENDED.timestamp() * 1000
    assert searches.asked() == [
        {
            "logGroupName": "/own/group",
            "filterPattern": f'"{kind}" "{REQUEST_ID}"',
            "startTime": ended_ms - 12_000,
            "endTime": ended_ms + 120_000,
        }
    ]
    assert (searches.pauses_s, search.found, search.problem) == ([], 1, None)


def test_an_out_of_memory_kill_is_named_by_the_report_that_was_found(answering: Answering) -> None:
    full = TEXT.replace("Max Memory Used: 39 MB", "Max Memory Used: 512 MB")
    searches = answering(lambda request: events(full))
    failed = invocation("Runtime.ExitError")

    report = searches.search().find(failed)

    assert report is not None
    assert failed.with_report(report).error_type == "Runtime.OutOfMemory"


def test_events_that_come_some_seconds_later_are_waited_for(answering: Answering) -> None:
    answers = [refused(NO_GROUP), events(), events(token="more"), events(TEXT)]
    searches = answering(lambda request: answers.pop(0))

    assert searches.search().find(invocation()) is not None
    assert searches.pauses_s == [1.0, 2.0]


def test_two_searches_in_vain_are_the_last(answering: Answering) -> None:
    searches = answering(lambda request: events("REPORT RequestId: another"))
    search = searches.search()

    found = [search.find(invocation()) for _ in range(4)]

    assert found == [None] * 4
    assert sum(searches.pauses_s) == 60
    assert searches.connected == 1
    assert search.problem == "it was not in log group /own/group within 30 s either"


def test_a_group_without_end_is_not_read_to_its_end(answering: Answering) -> None:
    searches = answering(lambda request: events("something else", token="more"))
    searches.stop_after = 1

    assert searches.search().find(invocation()) is None
    assert len(searches.server.requests) == 10


@pytest.mark.parametrize(
    ("error", "told", "times"),
    [
        pytest.param(DENIED, "allow logs:FilterLogEvents on it", 1, id="not allowed"),
        pytest.param(NO_GROUP, "does not exist (may the function's role write it?)", 18, id="none"),
    ],
)
def test_a_group_that_cannot_be_read_is_asked_no_more(
    answering: Answering, error: dict[str, str], told: str, times: int
) -> None:
    searches = answering(lambda request: refused(error))
    search = searches.search()

    assert [search.find(invocation()) for _ in range(3)] == [None] * 3
    assert told in (search.problem or "")
    assert "/own/group" in (search.problem or "")
    assert len(searches.server.requests) == times


def test_a_stop_ends_the_search_and_says_nothing_of_the_group(answering: Answering) -> None:
    searches = answering(lambda request: events())
    searches.stop_after = 2
    search = searches.search()

    assert search.find(invocation()) is None
    assert (len(searches.pauses_s), search.problem) == (2, None)
