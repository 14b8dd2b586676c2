"""How often a function is called and how many calls are cold, asked of a real server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.function_traffic import ColdStarts, Traffic, cold_share, requests_per_month
from core.aws.session import AwsSession, LocalAccess
from core.errors import AwsError, Interrupted
from tests.conftest import MakeFunction

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient

_QUICK = {"duration_ms": {"128": 5}, "init_ms": 20}


@pytest.fixture
def logs(local_access: LocalAccess) -> Iterator[CloudWatchLogsClient]:
    """A client of its own for each test, since tests hang hooks on it."""
    client = AwsSession(local=local_access).logs()
    yield client
    client.close()


@pytest.fixture(scope="module")
def cloudwatch(local_access: LocalAccess) -> Iterator[CloudWatchClient]:
    client = AwsSession(local=local_access).cloudwatch()
    yield client
    client.close()


def now() -> datetime:
    return datetime.now(UTC)


def call(client: LambdaClient, function: str, times: int, version: str = "$LATEST") -> None:
    for _ in range(times):
        client.invoke(FunctionName=function, Qualifier=version)


def without_waiting(seconds: float) -> bool:
    return time.sleep(min(seconds, 0.01)) is not None


def found(logs: CloudWatchLogsClient, function: str, calls: int, **more: Any) -> ColdStarts:
    """The cold starts of a function, once the logs have as many calls as were made."""
    deadline = time.monotonic() + 10
    while True:
        try:
            answer = cold_share(logs, function, now=now(), pause=without_waiting, **more)
        except AwsError:
            answer = None
        if answer is not None and answer.calls >= calls:
            return answer
        assert time.monotonic() < deadline
        time.sleep(0.02)


@dataclass
class Answers:
    """Answers to the calls of one operation, in place of those of the server; the last stays."""

    answers: list[Callable[[], tuple[int, dict[str, Any]]]]
    calls: int = 0

    def __call__(self, **_: Any) -> Any:
        number = min(self.calls, len(self.answers) - 1)
        self.calls += 1
        status, body = self.answers[number]()
        return SimpleNamespace(status_code=status), body


def answering(client: Any, operation: str, *bodies: tuple[int, dict[str, Any]]) -> Answers:
    answers = Answers([lambda body=body: body for body in bodies])  # type: ignore[misc] # a default
    client.meta.events.register(f"before-call.cloudwatch-logs.{operation}", answers)
    return answers


def refusal(code: str) -> tuple[int, dict[str, Any]]:
    return 400, {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {}}


class TestTraffic:
    def test_calls_of_all_versions_are_scaled_to_a_month(
        self, cloudwatch: CloudWatchClient, lambda_client: LambdaClient, make_function: MakeFunction
    ) -> None:
        name = make_function(_QUICK)
        call(lambda_client, name, 5)
        call(lambda_client, name, 2, lambda_client.publish_version(FunctionName=name)["Version"])

        traffic = requests_per_month(cloudwatch, name, days=7, now=now() + timedelta(minutes=1))

        days = (traffic.end - traffic.start) / timedelta(days=1)
        assert traffic.calls == 7
        assert 7 <= days < 7 + 1 / 24 + 0.001
        assert traffic.requests_per_month == pytest.approx(7 / days * 30.4375)

    def test_it_says_from_when_on_there_were_calls(self) -> None:
        end = datetime(2026, 11, 26, 12, tzinfo=UTC)
        start = end - timedelta(days=14)
        steady = Traffic(1400, start, end, first_calls=date(2026, 11, 12))
        young = Traffic(1400, start, end, first_calls=date(2026, 11, 24))

        assert steady.source == "metric Invocations, 2026-11-12 to 2026-11-26: 1,400 calls"
        assert young.source == f"{steady.source}, none before 2026-11-24"
        assert steady.requests_per_month == pytest.approx(3043.75)

    def test_a_function_without_calls_has_no_traffic(
        self, cloudwatch: CloudWatchClient, make_function: MakeFunction
    ) -> None:
        with pytest.raises(AwsError, match=r"no invocations in the last 14 days.*--requests-per"):
            requests_per_month(cloudwatch, make_function(_QUICK), now=now())

    @pytest.mark.parametrize("days", [1, 14, 60, 61, 365, 455])
    def test_any_number_of_days_fits_into_one_answer(
        self, cloudwatch: CloudWatchClient, days: int
    ) -> None:
        with pytest.raises(AwsError, match="no invocations"):
            requests_per_month(cloudwatch, "nobody", days=days, now=now())


class TestColdShare:
    @pytest.mark.parametrize("log_format", ["Text", "JSON"])
    @pytest.mark.parametrize("insights", [True, False], ids=["insights", "events"])
    def test_cold_and_warm_calls_are_counted(
        self,
        logs: CloudWatchLogsClient,
        lambda_client: LambdaClient,
        make_function: MakeFunction,
        log_format: str,
        *,
        insights: bool,
    ) -> None:
        name = make_function(_QUICK, LoggingConfig={"LogFormat": log_format})
        call(lambda_client, name, 4)
        call(lambda_client, name, 6, lambda_client.publish_version(FunctionName=name)["Version"])
        if not insights:
            answering(logs, "StartQuery", refusal("AccessDeniedException"))

        answer = found(logs, name, 10)

        assert (answer.calls, answer.cold, answer.cold_share) == (10, 2, 0.2)
        assert answer.first <= answer.last <= now().date()
        assert (answer.scanned_usd > 0) is insights
        assert not answer.is_partial
        assert answer.source.endswith(": 2 of 10 calls were cold")

    @pytest.mark.parametrize("insights", [True, False], ids=["insights", "events"])
    def test_calls_of_versions_of_a_tuning_do_not_count(
        self,
        logs: CloudWatchLogsClient,
        lambda_client: LambdaClient,
        make_function: MakeFunction,
        *,
        insights: bool,
    ) -> None:
        name = make_function(_QUICK)
        call(lambda_client, name, 4)
        call(lambda_client, name, 1, lambda_client.publish_version(FunctionName=name)["Version"])
        if not insights:
            answering(logs, "StartQuery", refusal("AccessDeniedException"))

        answer = found(logs, name, 4, versions={"$LATEST"})

        assert (answer.calls, answer.cold) == (4, 1)

    @pytest.mark.parametrize("insights", [True, False], ids=["insights", "events"])
    def test_restores_are_cold_and_other_functions_of_a_shared_group_do_not_count(
        self, logs: CloudWatchLogsClient, *, insights: bool
    ) -> None:
        group = f"shop-{time.time_ns()}"
        figures = (
            "Duration: 5 ms\tBilled Duration: 60 ms\tMemory Size: 128 MB\tMax Memory Used: 9 MB"
        )
        warm = f"REPORT RequestId: 1\t{figures}\t\n"
        restored = f"{warm[:-1]}Restore Duration: 90 ms\tBilled Restore Duration: 55 ms\t\n"
        json_restored = (
            '{"type":"platform.report","record":{"requestId":"1","metrics":{"durationMs":5,'
            '"billedDurationMs":60,"memorySizeMB":128,"restoreDurationMs":90}}}'
        )
        logs.create_log_group(logGroupName=group)
        put(logs, group, "2026/11/26/cart[$LATEST]1", warm, restored, warm, json_restored, "hello")
        put(logs, group, "2026/11/26/other[$LATEST]1", warm, warm)
        if not insights:
            answering(logs, "StartQuery", refusal("AccessDeniedException"))

        answer = found(logs, "cart", 4, group=group)

        assert (answer.calls, answer.cold) == (4, 2)

    def test_a_function_that_never_logged_says_so(
        self, logs: CloudWatchLogsClient, make_function: MakeFunction
    ) -> None:
        name = make_function(_QUICK)

        with pytest.raises(AwsError, match=f"log group /aws/lambda/{name} does not exist.*give it"):
            cold_share(logs, name, now=now())

    @pytest.mark.parametrize("insights", [True, False], ids=["insights", "events"])
    def test_logs_without_reports_say_so(
        self, logs: CloudWatchLogsClient, *, insights: bool
    ) -> None:
        group = f"quiet-{time.time_ns()}"
        logs.create_log_group(logGroupName=group)
        put(logs, group, "2026/11/26/[$LATEST]1", "hello")
        if not insights:
            answering(logs, "StartQuery", refusal("AccessDeniedException"))

        with pytest.raises(AwsError, match=f"log group {group} has no REPORT of the last 3 days"):
            cold_share(logs, "cart", days=3, now=now(), group=group, pause=without_waiting)

    def test_logs_that_may_not_be_read_at_all_are_refused(self, logs: CloudWatchLogsClient) -> None:
        answering(logs, "StartQuery", refusal("AccessDeniedException"))
        answering(logs, "FilterLogEvents", refusal("AccessDeniedException"))

        with pytest.raises(AwsError, match="could not read log group /aws/lambda/f: AccessDenied"):
            cold_share(logs, "f", now=now())

    def test_more_pages_than_one_may_ask_for_give_the_oldest_calls(
        self, logs: CloudWatchLogsClient
    ) -> None:
        report = "REPORT RequestId: 1\tDuration: 5 ms\tBilled Duration: 5 ms\tMemory Size: 128 MB\t"
        page = {
            "events": [
                {"logStreamName": "2026/11/26/[7]1", "timestamp": 1_795_000_000_000, "message": m}
                for m in (report, f"{report}Init Duration: 5 ms\t")
            ],
            "nextToken": "more",
        }
        answering(logs, "StartQuery", refusal("AccessDeniedException"))
        pages = answering(logs, "FilterLogEvents", (200, page))

        answer = cold_share(logs, "f", now=now())

        assert (pages.calls, answer.calls, answer.cold) == (100, 200, 100)
        assert answer.source == (
            "REPORT lines, 2026-11-18, the oldest calls only: 100 of 200 calls were cold"
        )

    @pytest.mark.parametrize(
        ("scanned_usd", "ending"),
        [
            pytest.param(0.009, "cold", id="less than a cent"),
            pytest.param(0.25, "cold; to count them cost about $0.25 of Logs Insights", id="more"),
        ],
    )
    def test_what_the_search_costs_is_said(self, scanned_usd: float, ending: str) -> None:
        day = date(2026, 11, 26)

        assert ColdStarts(9, 1, day, day, scanned_usd=scanned_usd).source.endswith(f"were {ending}")


class TestQueriesThatDoNotEnd:
    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            pytest.param({"status": "Running"}, r"stopped: it took more than 1\d\d s", id="slow"),
            pytest.param(
                {"status": "Running", "statistics": {"bytesScanned": 3e11}},
                r"stopped: it had scanned 279 GB, for about 1\.40 USD",
                id="dear",
            ),
            pytest.param({"status": "Timeout"}, "AWS says Timeout", id="ended by AWS"),
        ],
    )
    def test_they_are_stopped(
        self, logs: CloudWatchLogsClient, answer: dict[str, Any], message: str
    ) -> None:
        answering(logs, "StartQuery", (200, {"queryId": "q"}))
        answering(logs, "GetQueryResults", (200, {"results": [], **answer}))
        stop = answering(logs, "StopQuery", (200, {"success": True}))

        with pytest.raises(AwsError, match=message):
            cold_share(logs, "f", now=now(), pause=lambda seconds: False)

        assert stop.calls == 1

    @pytest.mark.parametrize("stop_status", [200, 400])
    def test_a_request_to_stop_stops_them(
        self, logs: CloudWatchLogsClient, stop_status: int
    ) -> None:
        answering(logs, "StartQuery", (200, {"queryId": "q"}))
        stop = answering(
            logs,
            "StopQuery",
            (200, {"success": True}) if stop_status == 200 else refusal("InvalidParameter"),
        )

        with pytest.raises(Interrupted):
            cold_share(logs, "f", now=now(), pause=lambda seconds: True)

        assert stop.calls == 1

    def test_ctrl_c_stops_them(self, logs: CloudWatchLogsClient) -> None:
        answering(logs, "StartQuery", (200, {"queryId": "q"}))
        stop = answering(logs, "StopQuery", (200, {"success": True}))

        def interrupted(seconds: float) -> bool:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            cold_share(logs, "f", now=now(), pause=interrupted)

        assert stop.calls == 1


def put(logs: CloudWatchLogsClient, group: str, stream: str, *messages: str) -> None:
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    events = [{"timestamp": time.time_ns() // 1_000_000, "message": text} for text in messages]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)  # type: ignore[arg-type] # a list of dicts is one
