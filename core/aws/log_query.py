"""Runs one query of CloudWatch Logs Insights to its end: bounded in time and in money.

AWS takes money for what a query scans, whether somebody waits for its result or not. So a query
that is given up is stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.aws.session import aws_call
from core.errors import AwsError, Interrupted, ToolError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import GetQueryResultsResponseTypeDef

# us-east-1, CloudWatch pricing page of 2026-09; other regions are up to half as dear again.
SCAN_USD_PER_GB = 0.005
# A dollar: from there on, `tune` asks before it spends. Nobody can be asked here.
MOST_SCANNED_GB = 200
_BYTES_PER_GB = 1024**3

# Short looks first, since most queries take a second or two; two minutes in all.
_POLLS_S = (0.1, 0.2, 0.3, 0.4, *[1.0] * 19, *[2.0] * 50)
_RUNNING = frozenset({"Scheduled", "Running"})

# Waits for so many seconds; True when somebody asks to stop.
Pause = Callable[[float], bool]


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows of a query, each a value by name, and what was scanned for them."""

    rows: tuple[Mapping[str, str], ...]
    scanned_gb: float

    @property
    def usd(self) -> float:
        """About what AWS takes for the scan."""
        return self.scanned_gb * SCAN_USD_PER_GB


def sleep(seconds: float) -> bool:
    """Waits; nobody asks to stop but by an exception, as Ctrl-C does."""
    time.sleep(seconds)
    return False


def run_query(
    client: CloudWatchLogsClient,
    group: str,
    query: str,
    *,
    start_s: int,
    end_s: int,
    pause: Pause = sleep,
) -> QueryResult:
    """The result of `query` over a time range (Unix, both ends included); at most 10,000 rows.

    Raises:
        AwsError: AWS refuses the query or cannot run it, or it takes too long or too much money.
        Interrupted: `pause` says that somebody asks to stop.
    """
    with aws_call(f"query log group {group}"):
        query_id = client.start_query(
            logGroupName=group, queryString=query, startTime=start_s, endTime=end_s
        )["queryId"]
    try:
        return _result(client, group, query_id, pause)
    except BaseException:
        with suppress(ToolError), aws_call("stop a query"):
            client.stop_query(queryId=query_id)
        raise


def _result(client: CloudWatchLogsClient, group: str, query_id: str, pause: Pause) -> QueryResult:
    for poll_s in _POLLS_S:
        if pause(poll_s):
            raise Interrupted(f"stopped while a query of log group {group} ran")
        with aws_call(f"read what the query of log group {group} found"):
            answer = client.get_query_results(queryId=query_id)
        scanned_gb = answer.get("statistics", {}).get("bytesScanned", 0.0) / _BYTES_PER_GB
        status = answer["status"]
        if status == "Complete":
            return QueryResult(_rows(answer), scanned_gb)
        if status not in _RUNNING:
            raise AwsError(f"could not query log group {group}: AWS says {status}", code=status)
        if scanned_gb > MOST_SCANNED_GB:
            raise AwsError(
                f"the query of log group {group} was stopped: it had scanned {scanned_gb:.0f} GB, "
                f"for about {scanned_gb * SCAN_USD_PER_GB:.2f} USD"
            )
    raise AwsError(
        f"the query of log group {group} was stopped: it took more than {sum(_POLLS_S):.0f} s"
    )


def _rows(answer: GetQueryResultsResponseTypeDef) -> tuple[Mapping[str, str], ...]:
    return tuple(
        {cell.get("field", ""): cell.get("value", "") for cell in row} for row in answer["results"]
    )
