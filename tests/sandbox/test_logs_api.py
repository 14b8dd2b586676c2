"""CloudWatch Logs as boto3 sees it, over a real server."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.front import Front
from sandbox.lambda_api.names import Home
from sandbox.logs_api.service import LogsService
from sandbox.server import HttpServer
from sandbox.telemetry.log_store import LogStore

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

ACCOUNT = "000000000000"
DAY_MS = 86_400_000
UUID = "11111111-2222-3333-4444-555555555555"

NUMBERS = itertools.count()


class LogsServer:
    """CloudWatch Logs alone, in a thread with a loop of its own."""

    def __init__(self, directory: Path) -> None:
        self.store = LogStore(directory)
        self._directory = directory
        self._started: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> LogsServer:
        self._thread.start()
        self.port = self._started.result()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        service = LogsService(Home(ACCOUNT, "us-east-1"), self.store)
        http = await HttpServer.listen(0)
        await http.serve(Front({"logs": service}).handle)
        self._started.set_result(http.port)
        await self._stop.wait()
        await http.close()
        await service.close()
        self.store.close()

    def call(self, function: Callable[[], Any]) -> Any:
        """Calls a function in the thread of the loop, as the sandbox's own parts do."""

        async def run() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def append(self, group: str, stream: str, events: list[tuple[int, str]]) -> None:
        self.call(lambda: self.store.append(group, stream, events))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogsServer]:
    with LogsServer(tmp_path_factory.mktemp("logs")) as server:
        yield server


def make_client(server: LogsServer, *, strict: bool = True) -> CloudWatchLogsClient:
    client: CloudWatchLogsClient = boto3.Session().client(
        "logs",
        endpoint_url=f"http://127.0.0.1:{server.port}",
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=strict),
    )
    return client


@pytest.fixture(scope="module")
def logs(server: LogsServer) -> Iterator[CloudWatchLogsClient]:
    client = make_client(server)
    yield client
    client.close()


@pytest.fixture(scope="module")
def loose(server: LogsServer) -> Iterator[CloudWatchLogsClient]:
    client = make_client(server, strict=False)
    yield client
    client.close()


@pytest.fixture
def group(logs: CloudWatchLogsClient) -> str:
    """A group of its own with a stream "s"."""
    name = f"/test/{next(NUMBERS)}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    return name


def now_ms() -> int:
    return int(time.time() * 1000)


def put(
    logs: CloudWatchLogsClient, group: str, *messages: str, at_ms: int | None = None, s: str = "s"
) -> int:
    """Puts messages a millisecond apart; gives the time of the first."""
    first_ms = now_ms() if at_ms is None else at_ms
    events: Any = [
        {"timestamp": first_ms + number, "message": message}
        for number, message in enumerate(messages)
    ]
    logs.put_log_events(logGroupName=group, logStreamName=s, logEvents=events)
    return first_ms


def code_of(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def run_query(
    logs: CloudWatchLogsClient, text: str, *groups: str, **more: Any
) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """The rows of a query over the last days, and the whole answer."""
    now_s = int(time.time())
    arguments = {"startTime": now_s - 10 * 86_400, "endTime": now_s + 60, **more}
    started = logs.start_query(logGroupNames=list(groups), queryString=text, **arguments)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer: Any = logs.get_query_results(queryId=started["queryId"])
        if answer["status"] not in ("Scheduled", "Running"):
            assert answer["status"] == "Complete"
            rows = [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]
            return rows, answer
        time.sleep(0.005)
    raise AssertionError("the query did not end in time")


class TestGroups:
    def test_a_group_is_shown_as_it_was_made(self, logs: CloudWatchLogsClient) -> None:
        name = f"/shown/{next(NUMBERS)}"
        before_ms = now_ms()

        logs.create_log_group(logGroupName=name, tags={"team": "a"})
        logs.put_retention_policy(logGroupName=name, retentionInDays=7)
        [shown] = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]

        arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}"
        assert (shown["logGroupName"], shown["retentionInDays"]) == (name, 7)
        assert (shown["arn"], shown["logGroupArn"]) == (f"{arn}:*", arn)
        assert before_ms <= shown["creationTime"] <= now_ms()
        assert shown["storedBytes"] == 0
        assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "a"}

        logs.delete_retention_policy(logGroupName=name)
        logs.tag_resource(resourceArn=arn, tags={"x": "1"})
        logs.untag_resource(resourceArn=arn, tagKeys=["team"])
        [shown] = logs.describe_log_groups(logGroupIdentifiers=[arn])["logGroups"]
        assert "retentionInDays" not in shown
        assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"x": "1"}

    def test_groups_come_in_pages_by_name(self, logs: CloudWatchLogsClient) -> None:
        prefix = f"paged{next(NUMBERS)}-"
        names = [f"{prefix}{letter}" for letter in "abcde"]
        for name in reversed(names):
            logs.create_log_group(logGroupName=name)

        pages = logs.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=prefix, PaginationConfig={"PageSize": 2}
        )
        found = [[group["logGroupName"] for group in page["logGroups"]] for page in pages]

        assert found == [names[:2], names[2:4], names[4:]]
        by_pattern = logs.describe_log_groups(logGroupNamePattern=prefix[2:])["logGroups"]
        assert [group["logGroupName"] for group in by_pattern] == names

    def test_a_deleted_group_is_gone(self, logs: CloudWatchLogsClient, group: str) -> None:
        logs.delete_log_group(logGroupName=group)

        assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []
        assert code_of(logs.delete_log_group, logGroupName=group) == "ResourceNotFoundException"

    @pytest.mark.parametrize(
        ("operation", "arguments", "code"),
        [
            ("create_log_group", {}, "ResourceAlreadyExistsException"),
            ("create_log_group", {"logGroupName": "a b"}, "InvalidParameterException"),
            (
                "create_log_group",
                {"logGroupName": "x", "kmsKeyId": "k"},
                "InvalidParameterException",
            ),
            (
                "create_log_group",
                {"logGroupName": "x", "logGroupClass": "DELIVERY"},
                "InvalidParameterException",
            ),
            ("put_retention_policy", {"retentionInDays": 4}, "InvalidParameterException"),
            ("delete_log_group", {"logGroupName": "/none"}, "ResourceNotFoundException"),
        ],
        ids=["exists", "bad-name", "kms", "class", "retention", "missing"],
    )
    def test_what_is_wrong_is_refused(
        self,
        logs: CloudWatchLogsClient,
        group: str,
        operation: str,
        arguments: dict[str, Any],
        code: str,
    ) -> None:
        call = getattr(logs, operation)

        assert code_of(call, **{"logGroupName": group, **arguments}) == code

    def test_prefix_and_pattern_exclude_each_other(self, logs: CloudWatchLogsClient) -> None:
        code = code_of(logs.describe_log_groups, logGroupNamePrefix="a", logGroupNamePattern="b")

        assert code == "InvalidParameterException"

    def test_an_operation_that_is_not_served_says_so(self, logs: CloudWatchLogsClient) -> None:
        assert code_of(logs.describe_destinations) == "UnknownOperationException"


class TestStreams:
    def test_streams_are_ordered_by_name_or_by_time(
        self, logs: CloudWatchLogsClient, group: str
    ) -> None:
        for name in ("b", "a", "c"):
            logs.create_log_stream(logGroupName=group, logStreamName=name)
        first_ms = put(logs, group, "x", s="b")
        put(logs, group, "x", "y", s="a", at_ms=first_ms + 10)

        by_name = logs.describe_log_streams(logGroupName=group)["logStreams"]
        by_time = logs.describe_log_streams(
            logGroupName=group, orderBy="LastEventTime", descending=True, limit=2
        )

        assert [stream["logStreamName"] for stream in by_name] == ["a", "b", "c", "s"]
        assert [stream["logStreamName"] for stream in by_time["logStreams"]] == ["a", "b"]
        rest = logs.describe_log_streams(
            logGroupName=group,
            orderBy="LastEventTime",
            descending=True,
            nextToken=by_time["nextToken"],
        )
        assert {stream["logStreamName"] for stream in rest["logStreams"]} == {"c", "s"}
        assert "nextToken" not in rest
        assert by_name[0]["firstEventTimestamp"] == first_ms + 10
        assert by_name[0]["lastEventTimestamp"] == first_ms + 11
        assert "firstEventTimestamp" not in by_name[2]

    def test_a_deleted_stream_takes_its_events_along(
        self, logs: CloudWatchLogsClient, group: str
    ) -> None:
        put(logs, group, "x")

        logs.delete_log_stream(logGroupName=group, logStreamName="s")

        assert logs.filter_log_events(logGroupName=group)["events"] == []
        gone = {"logGroupName": group, "logStreamName": "s"}
        assert code_of(logs.delete_log_stream, **gone) == "ResourceNotFoundException"
        assert code_of(logs.get_log_events, **gone) == "ResourceNotFoundException"

    def test_names_are_taken_once(self, logs: CloudWatchLogsClient, group: str) -> None:
        again = {"logGroupName": group, "logStreamName": "s"}
        assert code_of(logs.create_log_stream, **again) == "ResourceAlreadyExistsException"
        missing = {"logGroupName": "/none", "logStreamName": "s"}
        assert code_of(logs.create_log_stream, **missing) == "ResourceNotFoundException"


class TestPut:
    @pytest.mark.parametrize(
        "events",
        [
            [(0, "later"), (-1, "earlier")],
            [(-2 * DAY_MS, "x"), (0, "y")],
            [(0, "x" * 1_048_577)],
            [(0, "x" * 600_000), (0, "y" * 600_000)],
            [(0, "x" * (1_048_576 - 25))],
            [],
        ],
        ids=["out-of-order", "over-a-day", "event", "batch", "overhead", "empty"],
    )
    def test_a_batch_beyond_the_limits_is_refused(
        self, loose: CloudWatchLogsClient, group: str, events: list[tuple[int, str]]
    ) -> None:
        now = now_ms()
        batch: Any = [{"timestamp": now + offset, "message": text} for offset, text in events]

        code = code_of(loose.put_log_events, logGroupName=group, logStreamName="s", logEvents=batch)

        assert code == "InvalidParameterException"
        assert loose.filter_log_events(logGroupName=group)["events"] == []

    def test_the_largest_event_is_taken(self, logs: CloudWatchLogsClient, group: str) -> None:
        put(logs, group, "x" * (1_048_576 - 26))

        [event] = logs.filter_log_events(logGroupName=group)["events"]
        assert len(event["message"]) == 1_048_576 - 26

    def test_events_outside_the_time_that_aws_takes_are_rejected_alone(
        self, logs: CloudWatchLogsClient, group: str
    ) -> None:
        now = now_ms()
        logs.put_retention_policy(logGroupName=group, retentionInDays=3)
        offsets_ms = [-15 * DAY_MS, -4 * DAY_MS, -1000, 0, 3 * 3_600_000]

        answer = logs.put_log_events(
            logGroupName=group,
            logStreamName="s",
            logEvents=[{"timestamp": now + at, "message": str(at)} for at in offsets_ms],
        )

        assert answer["rejectedLogEventsInfo"] == {
            "tooOldLogEventEndIndex": 1,
            "expiredLogEventEndIndex": 2,
            "tooNewLogEventStartIndex": 4,
        }
        found = logs.filter_log_events(logGroupName=group)["events"]
        assert [event["message"] for event in found] == ["-1000", "0"]


class TestGet:
    def test_pages_lead_forwards_and_end_with_the_same_token(
        self, logs: CloudWatchLogsClient, group: str
    ) -> None:
        put(logs, group, *"abcde")
        where = {"logGroupName": group, "logStreamName": "s", "limit": 2, "startFromHead": True}

        found, token = [], None
        for _ in range(10):
            page = logs.get_log_events(**where, **({"nextToken": token} if token else {}))  # type: ignore[arg-type]
            if page["nextForwardToken"] == token:
                break
            found.append("".join(event["message"] for event in page["events"]))
            token = page["nextForwardToken"]

        assert found == ["ab", "cd", "e"]
        put(logs, group, "f", at_ms=now_ms() + 10)
        page = logs.get_log_events(**where, nextToken=token or "")  # type: ignore[arg-type]
        assert [event["message"] for event in page["events"]] == ["f"]

    def test_without_a_direction_the_latest_come_and_lead_backwards(
        self, logs: CloudWatchLogsClient, group: str
    ) -> None:
        put(logs, group, *"abcde")
        where: Any = {"logGroupName": group, "logStreamName": "s", "limit": 2}

        last = logs.get_log_events(**where)
        before = logs.get_log_events(**where, nextToken=last["nextBackwardToken"])
        forth = logs.get_log_events(**where, nextToken=before["nextForwardToken"])

        pages = (last, before, forth)
        assert ["".join(e["message"] for e in page["events"]) for page in pages] == [
            "de",
            "bc",
            "de",
        ]

    def test_the_end_is_exclusive_and_the_start_is_not(
        self, logs: CloudWatchLogsClient, group: str
    ) -> None:
        first_ms = put(logs, group, *"abcd")

        page = logs.get_log_events(
            logGroupName=group, logStreamName="s", startTime=first_ms + 1, endTime=first_ms + 3
        )

        assert [event["message"] for event in page["events"]] == ["b", "c"]
        assert page["events"][0]["timestamp"] == first_ms + 1

    def test_an_empty_stream_has_tokens(self, logs: CloudWatchLogsClient, group: str) -> None:
        where: Any = {"logGroupName": group, "logStreamName": "s", "startFromHead": True}

        page = logs.get_log_events(**where)
        put(logs, group, "a")
        later = logs.get_log_events(**where, nextToken=page["nextForwardToken"])

        assert page["events"] == []
        assert [event["message"] for event in later["events"]] == ["a"]

    @pytest.mark.parametrize("token", ["f/1", "x/" + "3" * 56, "nonsense"])
    def test_a_strange_token_is_refused(
        self, logs: CloudWatchLogsClient, group: str, token: str
    ) -> None:
        where = {"logGroupName": group, "logStreamName": "s", "nextToken": token}

        assert code_of(logs.get_log_events, **where) == "InvalidParameterException"


class TestFilter:
    def test_streams_are_interleaved_by_time(self, logs: CloudWatchLogsClient, group: str) -> None:
        logs.create_log_stream(logGroupName=group, logStreamName="t")
        first_ms = put(logs, group, "1", "2", "3")
        put(logs, group, "1t", "2t", "3t", s="t", at_ms=first_ms)

        everything = logs.filter_log_events(logGroupName=group)["events"]
        some = logs.filter_log_events(
            logGroupName=group, startTime=first_ms + 1, endTime=first_ms + 2
        )["events"]
        of_t = logs.filter_log_events(logGroupName=group, logStreamNamePrefix="t")["events"]
        named = logs.filter_log_events(logGroupName=group, logStreamNames=["s"], limit=1)["events"]
        backwards = logs.filter_log_events(
            logGroupName=group, startTime=first_ms, startFromHead=False
        )["events"]

        assert [e["message"] for e in everything] == ["1", "1t", "2", "2t", "3", "3t"]
        assert [e["message"] for e in some] == ["2", "2t", "3", "3t"]
        assert [e["message"] for e in of_t] == ["1t", "2t", "3t"]
        assert [(e["message"], e["logStreamName"]) for e in named] == [("1", "s")]
        assert backwards == everything[::-1]
        assert len({event["eventId"] for event in everything}) == 6

    def test_pages_hold_at_most_ten_thousand_events(
        self, server: LogsServer, logs: CloudWatchLogsClient, group: str
    ) -> None:
        at_ms = now_ms()
        server.append(group, "s", [(at_ms, f"{number:05d}") for number in range(25_000)])

        pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=group))

        assert [len(page["events"]) for page in pages] == [10_000, 10_000, 5_000]
        found = [event["message"] for page in pages for event in page["events"]]
        assert found == [f"{number:05d}" for number in range(25_000)]

    def test_pages_hold_at_most_a_megabyte(
        self, server: LogsServer, logs: CloudWatchLogsClient, group: str
    ) -> None:
        at_ms = now_ms()
        server.append(group, "s", [(at_ms, "x" * 400_000) for _ in range(5)])

        pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=group))

        assert [len(page["events"]) for page in pages] == [2, 2, 1]

    def test_a_long_search_answers_with_what_it_has(
        self,
        server: LogsServer,
        logs: CloudWatchLogsClient,
        group: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("sandbox.logs_api.reading.MAX_SCANNED", 100)
        at_ms = now_ms()
        server.append(group, "s", [(at_ms, f"n{number}") for number in range(250)])

        pages = list(
            logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, filterPattern="n249"
            )
        )

        assert [len(page["events"]) for page in pages] == [0, 0, 1]

    def test_a_pattern_selects(self, logs: CloudWatchLogsClient, group: str) -> None:
        put(logs, group, '{"status": 429}', '{"status": 200}', "no JSON")

        found = logs.filter_log_events(logGroupName=group, filterPattern="{ $.status = 429 }")

        assert [event["message"] for event in found["events"]] == ['{"status": 429}']

    @pytest.mark.parametrize(
        "changes",
        [
            {"filterPattern": "[a, b=1]"},
            {"filterPattern": "{ $.a = }"},
            {"filterPattern": "not-quoted"},
            {"logStreamNames": ["s"], "logStreamNamePrefix": "s"},
            {"nextToken": "!"},
            {"startFromHead": False},
            {"logGroupIdentifier": "x"},
        ],
        ids=str,
    )
    def test_what_cannot_be_served_is_refused(
        self, logs: CloudWatchLogsClient, group: str, changes: dict[str, Any]
    ) -> None:
        code = code_of(logs.filter_log_events, **{"logGroupName": group, **changes})

        assert code == "InvalidParameterException"

    def test_late_logs_come_late(
        self, server: LogsServer, logs: CloudWatchLogsClient, group: str
    ) -> None:
        server.call(lambda: setattr(server.store, "arrival_delay_s", 3600.0))
        try:
            put(logs, group, "late")
            assert logs.filter_log_events(logGroupName=group)["events"] == []
            assert run_query(logs, "stats count(*)", group)[0] == []
        finally:
            server.call(lambda: setattr(server.store, "arrival_delay_s", 0.0))
        assert len(logs.filter_log_events(logGroupName=group)["events"]) == 1


class TestQueries:
    def test_rows_of_events_have_a_pointer_and_come_newest_first(
        self, logs: CloudWatchLogsClient, group: str
    ) -> None:
        put(logs, group, "one", "two")

        rows, answer = run_query(logs, "fields @message, @logStream, @log | limit 1", group)

        [row] = rows
        assert row.pop("@ptr")
        assert row == {"@message": "two", "@logStream": "s", "@log": f"{ACCOUNT}:{group}"}
        statistics = answer["statistics"]
        assert statistics["recordsScanned"] == statistics["recordsMatched"] == 2.0
        assert (statistics["bytesScanned"], statistics["resultCount"]) == (6.0, 1.0)

    def test_the_range_of_a_query_is_inclusive_at_both_ends(
        self, logs: CloudWatchLogsClient, group: str
    ) -> None:
        end_s = now_ms() // 1000 + 60
        for offset_ms in (-1001, -1000, 0, 1):
            put(logs, group, str(offset_ms), at_ms=end_s * 1000 + offset_ms)

        rows, _ = run_query(logs, "fields @message", group, startTime=end_s - 1, endTime=end_s)

        assert [row["@message"] for row in rows] == ["0", "-1000"]

    def test_a_query_that_ended_before_the_group_began_is_malformed(
        self, logs: CloudWatchLogsClient, group: str
    ) -> None:
        code = code_of(
            logs.start_query, logGroupName=group, startTime=1, endTime=2, queryString="fields x"
        )

        assert code == "MalformedQueryException"

    def test_several_groups_are_one_result(
        self, logs: CloudWatchLogsClient, server: LogsServer
    ) -> None:
        names = [f"/many/{next(NUMBERS)}" for _ in range(3)]
        at_ms = now_ms()
        for number, name in enumerate(names):
            server.append(name, "s", [(at_ms + number, str(number)), (at_ms + 9 - number, "x")])

        rows, answer = run_query(logs, "fields @timestamp", *names)

        times = [row["@timestamp"] for row in rows]
        assert times == sorted(times, reverse=True)
        assert len(times) == 6
        assert answer["statistics"]["logGroupsScanned"] == 3.0

    def test_a_syntax_error_says_where(self, logs: CloudWatchLogsClient, group: str) -> None:
        with pytest.raises(ClientError) as caught:
            run_query(logs, "fields @message | filter = 3", group)

        answer: Any = caught.value.response
        assert answer["Error"]["Code"] == "MalformedQueryException"
        assert answer["queryCompileError"]["location"] == {
            "startCharOffset": 25,
            "endCharOffset": 26,
        }

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"logGroupName": "/none"}, "ResourceNotFoundException"),
            ({"startTime": 5, "endTime": 4}, "InvalidParameterException"),
            ({"logGroupNames": ["/x"]}, "InvalidParameterException"),
            ({"queryLanguage": "SQL"}, "InvalidParameterException"),
        ],
        ids=["missing", "backwards", "two-ways", "language"],
    )
    def test_a_query_that_cannot_start_is_refused(
        self, logs: CloudWatchLogsClient, group: str, changes: dict[str, Any], code: str
    ) -> None:
        now_s = now_ms() // 1000
        asked = {
            "logGroupName": group,
            "startTime": now_s,
            "endTime": now_s + 9,
            "queryString": "fields x",
        }

        assert code_of(logs.start_query, **{**asked, **changes}) == code

    def test_long_results_come_in_pages(
        self, server: LogsServer, logs: CloudWatchLogsClient, group: str
    ) -> None:
        at_ms = now_ms()
        server.append(group, "s", [(at_ms, str(number)) for number in range(12_000)])
        _, answer = run_query(logs, "fields @message | limit 11000", group)
        assert len(answer["results"]) == 10_000

        [query] = logs.describe_queries(logGroupName=group)["queries"]
        rest = logs.get_query_results(queryId=query["queryId"], nextToken=answer["nextToken"])

        assert len(rest["results"]) == 1_000
        assert "nextToken" not in rest
        assert query["status"] == "Complete"
        assert len(run_query(logs, "fields @message", group, limit=7)[0]) == 7

    def test_a_query_leaves_the_loop_to_others(
        self, server: LogsServer, logs: CloudWatchLogsClient, group: str
    ) -> None:
        at_ms = now_ms()
        for _ in range(20):
            server.append(group, "s", [(at_ms, json.dumps({"n": n})) for n in range(2_000)])
        now_s = at_ms // 1000
        started = logs.start_query(
            logGroupName=group,
            startTime=now_s - 5,
            endTime=now_s + 5,
            queryString="stats count(*), pct(n, 99) by n",
        )

        seen = {logs.get_query_results(queryId=started["queryId"])["status"]}
        stopped = logs.stop_query(queryId=started["queryId"])

        # 40,000 events take most of a second; the answers came meanwhile.
        assert seen <= {"Scheduled", "Running"}
        assert stopped["success"]
        status = logs.get_query_results(queryId=started["queryId"])["status"]
        assert status == "Cancelled"
        assert code_of(logs.stop_query, queryId=started["queryId"]) == "InvalidParameterException"

    def test_an_unknown_query_is_not_found(self, logs: CloudWatchLogsClient) -> None:
        assert code_of(logs.get_query_results, queryId=UUID) == "ResourceNotFoundException"


def test_nothing_is_left_when_the_server_stops(tmp_path: Path) -> None:
    with LogsServer(tmp_path / "logs") as server:
        server.append("g", "s", [(now_ms(), "x" * 1000)] * 1000)
        assert list((tmp_path / "logs").iterdir()) != []

    assert list((tmp_path / "logs").iterdir()) == []
