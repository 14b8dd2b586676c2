"""Logs Insights queries: starting, watching and stopping them, and their results."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping
from typing import Any, Literal

from sandbox.api_errors import ApiError
from sandbox.logs_api.context import LogsContext, invalid
from sandbox.logs_api.insights.errors import QueryError
from sandbox.logs_api.insights.query import Query, ResultRow
from sandbox.logs_api.paging import bad_token, text_of_token, token_of
from sandbox.rpc.service import Operation, Output
from sandbox.slices import Slices, made_of_each
from sandbox.telemetry.log_store import ReadRange

logger = logging.getLogger(__name__)

Parameters = Mapping[str, Any]
Status = Literal["Scheduled", "Running", "Complete", "Failed", "Cancelled"]

# CloudWatch Logs API reference, StartQuery and GetQueryResults (read 2026-09).
MAX_GROUPS = 50
MAX_CONCURRENT = 100
PAGE_ROWS = 10_000

# AWS keeps queries for a week; the sandbox keeps as many as do no harm.
_KEPT_QUERIES = 1_000
_KEPT_ROWS = 200_000
_PAGE_QUERIES = 1_000


class RunningQuery:
    """One query, from its start to the end of its results."""

    def __init__(self, text: str, query: Query, wanted: ReadRange, created_ms: int) -> None:
        self.id = str(uuid.uuid4())
        self.text = text
        self.created_ms = created_ms
        self.status: Status = "Scheduled"
        self.duration_ms: int | None = None
        self.groups = wanted.groups
        self.query = query
        self._wanted = wanted
        self.task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing changes any more."""
        return self.status not in ("Scheduled", "Running")

    @property
    def rows(self) -> list[ResultRow]:
        """The rows that there are."""
        return self.query.rows

    async def run(self, context: LogsContext) -> None:
        """Reads the events and comes to a result."""
        began = time.perf_counter()
        self.status = "Running"
        try:
            await self._read(context)
            if not self.is_over:  # it may have been stopped just now
                self.status = "Complete"
        except asyncio.CancelledError:
            self.status = "Cancelled"
            raise
        except Exception:  # a query must not stay Running for ever
            logger.exception("could not run the query %s", self.text)
            self.status = "Failed"
        finally:
            self.duration_ms = round((time.perf_counter() - began) * 1000)

    async def _read(self, context: LogsContext) -> None:
        slices = Slices()
        for batch in context.store.read(self._wanted):
            for event in batch:
                self.query.take(event)
                if slices.is_over:
                    await slices.rest()
            if slices.is_over:
                await slices.rest()
        for _ in self.query.finish():
            if slices.is_over:
                await slices.rest()


class QueryOperations:
    """The operations of Logs Insights."""

    def __init__(self, context: LogsContext) -> None:
        self._context = context
        self._queries: dict[str, RunningQuery] = {}

    def operations(self) -> Mapping[str, Operation]:
        """They by their names."""
        return {
            "StartQuery": self._start,
            "GetQueryResults": self._results,
            "StopQuery": self._stop,
            "DescribeQueries": self._describe,
        }

    async def close(self) -> None:
        """Ends all queries."""
        tasks = [query.task for query in self._queries.values() if query.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _start(self, parameters: Parameters) -> Output:
        language = parameters.get("queryLanguage", "CWLI")
        if language != "CWLI":
            raise invalid(f"queryLanguage: the sandbox runs CWLI only (got {language})")
        wanted = self._range(parameters)
        text = parameters["queryString"]
        try:
            query = Query(text, self._context.home.account_id, parameters.get("limit"))
        except QueryError as error:
            raise _malformed(error) from error
        if sum(not running.is_over for running in self._queries.values()) >= MAX_CONCURRENT:
            raise ApiError(
                "LimitExceededException",
                f"Account maximum query concurrency limit of [{MAX_CONCURRENT}] reached.",
            )
        running = RunningQuery(text, query, wanted, self._context.store.now_ms())
        self._forget_old()
        self._queries[running.id] = running
        running.task = asyncio.get_running_loop().create_task(running.run(self._context))
        return {"queryId": running.id}

    def _range(self, parameters: Parameters) -> ReadRange:
        start_s, end_s = parameters["startTime"], parameters["endTime"]
        if start_s > end_s:
            raise invalid(f"startTime ({start_s}) has to be before endTime ({end_s}).")
        names = self._groups(parameters)
        created_ms = min(self._context.group(name).created_ms for name in names)
        if end_s < created_ms // 1000:
            raise ApiError(
                "MalformedQueryException",
                "Query's end date and time is either before the log groups creation time or "
                f"exceeds the log groups log retention settings ([{end_s},{created_ms // 1000}])",
            )
        return ReadRange(
            groups=names, start_ms=start_s * 1000, end_ms=end_s * 1000, newest_first=True
        )

    def _groups(self, parameters: Parameters) -> list[str]:
        one = parameters.get("logGroupName")
        given = [
            value
            for value in (
                None if one is None else [one],
                parameters.get("logGroupNames"),
                parameters.get("logGroupIdentifiers"),
            )
            if value
        ]
        if len(given) != 1:
            raise invalid(
                "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be given."
            )
        if len(given[0]) > MAX_GROUPS:
            raise invalid(f"A query can have at most {MAX_GROUPS} log groups.")
        names = (self._context.group_by_identifier(text).name for text in given[0])
        return list(dict.fromkeys(names))

    def _find(self, query_id: str) -> RunningQuery:
        query = self._queries.get(query_id)
        if query is None:
            raise ApiError(
                "ResourceNotFoundException", f"The specified query {query_id} does not exist."
            )
        return query

    async def _results(self, parameters: Parameters) -> Output:
        running = self._find(parameters["queryId"])
        first = _page_start(parameters.get("nextToken"))
        end = first + (parameters.get("maxItems") or PAGE_ROWS)
        # What has come by now: the query may run on while the page is made.
        count, status, is_over = len(running.rows), running.status, running.is_over
        query = running.query
        shown = await made_of_each(running.rows[first:end], _shown_row)
        return {
            "queryLanguage": "CWLI",
            "results": shown,
            "statistics": {
                "recordsMatched": float(query.matched),
                "recordsScanned": float(query.scanned),
                "estimatedRecordsSkipped": 0.0,
                "bytesScanned": float(query.scanned_bytes),
                "estimatedBytesSkipped": 0.0,
                "logGroupsScanned": float(len(running.groups)),
                "resultCount": float(count),
            },
            "status": status,
            "nextToken": token_of(str(end)) if is_over and end < count else None,
        }

    def _stop(self, parameters: Parameters) -> Output:
        running = self._find(parameters["queryId"])
        if running.is_over or running.task is None:
            raise invalid(
                f"Query ID '{running.id}' is not running: it ended with status {running.status}"
            )
        running.task.cancel()
        running.status = "Cancelled"
        return {"success": True}

    def _describe(self, parameters: Parameters) -> Output:
        group, status = parameters.get("logGroupName"), parameters.get("status")
        if group is not None:
            self._context.group(group)
        queries = [
            running
            for running in reversed(self._queries.values())
            if (group is None or group in running.groups) and status in (None, running.status)
        ]
        if parameters.get("queryLanguage", "CWLI") != "CWLI":
            queries = []
        first = _page_start(parameters.get("nextToken"))
        end = first + parameters.get("maxResults", _PAGE_QUERIES)
        return {
            "queries": [_shown(running) for running in queries[first:end]],
            "nextToken": token_of(str(end)) if end < len(queries) else None,
        }

    def _forget_old(self) -> None:
        """Makes room: the oldest queries that are over go, as few as will do."""
        rows = sum(len(running.rows) for running in self._queries.values())
        for running in list(self._queries.values()):
            if len(self._queries) < _KEPT_QUERIES and rows < _KEPT_ROWS:
                return
            if running.is_over:
                rows -= len(running.rows)
                del self._queries[running.id]


def _malformed(error: QueryError) -> ApiError:
    location = {"startCharOffset": error.start, "endCharOffset": error.end}
    return ApiError(
        "MalformedQueryException",
        f"{error.message} ([{error.start},{error.end}])",
        fields={"queryCompileError": {"location": location, "message": error.message}},
    )


def _page_start(token: str | None) -> int:
    if token is None:
        return 0
    text = text_of_token(token)
    if not text.isdecimal() or len(text) > 9:
        raise bad_token()
    return int(text)


def _shown_row(row: ResultRow) -> list[dict[str, str]]:
    return [{"field": name, "value": value} for name, value in row]


def _shown(running: RunningQuery) -> Output:
    return {
        "queryLanguage": "CWLI",
        "queryId": running.id,
        "queryString": running.text,
        "status": running.status,
        "createTime": running.created_ms,
        "logGroupName": running.groups[0],
        "queryDuration": running.duration_ms,
        "bytesScanned": float(running.query.scanned_bytes),
    }
