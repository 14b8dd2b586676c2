"""CloudWatch Logs Insights: queries and their results."""

from __future__ import annotations

import json
import time

from tests.contract.account import Account, refused, until
from tests.contract.logs_steps import new_stream, put
from tests.contract.step import step

_NO_COMMANDS = "ignores the commands of a query"

_LINES = [
    json.dumps({"path": path, "status": status, "ms": ms})
    for path, status, ms in (
        ("/orders", 200, 10),
        ("/orders", 429, 2),
        ("/carts", 200, 30),
        ("/orders", 200, 20),
    )
]


def _last_hour() -> dict[str, int]:
    """In seconds, unlike the times of events."""
    now = int(time.time())
    return {"startTime": now - 3600, "endTime": now + 60}


def _rows(aws: Account, query: str, *lines: str) -> list[dict[str, str]]:
    named = new_stream(aws)
    put(aws, named, *(lines or _LINES))
    logs = aws.client("logs")
    started = logs.start_query(
        logGroupName=named["logGroupName"], queryString=query, **_last_hour()
    )

    def complete() -> dict[str, object] | None:
        answer = logs.get_query_results(queryId=started["queryId"])
        assert answer["status"] in ("Scheduled", "Running", "Complete"), answer["status"]
        return answer if answer["status"] == "Complete" else None

    results = until(complete)["results"]
    return [
        {field["field"]: field["value"] for field in row if field["field"] != "@ptr"}
        for row in results
    ]


@step()
def fields_are_shown(aws: Account) -> None:
    rows = _rows(aws, "fields @message | sort @timestamp asc | limit 2")
    assert [row["@message"] for row in rows] == _LINES[:2]


@step(moto=_NO_COMMANDS, ministack=_NO_COMMANDS)
def events_are_counted_by_group(aws: Account) -> None:
    rows = _rows(aws, "stats count(*) as n by path | sort n desc")
    assert rows == [{"path": "/orders", "n": "3"}, {"path": "/carts", "n": "1"}]


@step(moto=_NO_COMMANDS, ministack=_NO_COMMANDS)
def numbers_are_averaged(aws: Account) -> None:
    query = "filter status = 200 | stats avg(ms) as mean, max(ms) as most, min(ms) as least"
    (row,) = _rows(aws, query)
    assert {name: float(value) for name, value in row.items()} == {
        "mean": 20.0,
        "most": 30.0,
        "least": 10.0,
    }


@step(moto=_NO_COMMANDS, ministack=_NO_COMMANDS)
def percentiles_are_computed(aws: Account) -> None:
    lines = [json.dumps({"ms": ms}) for ms in range(1, 101)]
    (row,) = _rows(aws, "stats pct(ms, 95) as p95", *lines)
    assert abs(float(row["p95"]) - 95.0) <= 1.0


@step(moto=_NO_COMMANDS, ministack=_NO_COMMANDS)
def reports_of_functions_have_fields(aws: Account) -> None:
    report = (
        "REPORT RequestId: 1f5c1b1e-0000-4000-8000-00000000000{}\tDuration: {}.50 ms\t"
        "Billed Duration: {} ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t\n"
    )
    lines = [report.format(ms, ms, ms + 1) for ms in (1, 2, 3)]
    query = (
        'filter @type = "REPORT" | stats count(*) as n, avg(@duration) as mean, '
        "max(@memorySize / 1000 / 1000) as mb"
    )
    (row,) = _rows(aws, query, *lines, "START RequestId: 1 Version: $LATEST\n")
    assert {name: float(value) for name, value in row.items()} == {"n": 3, "mean": 2.5, "mb": 128}


@step(moto=_NO_COMMANDS, ministack=_NO_COMMANDS)
def text_is_parsed(aws: Account) -> None:
    query = 'parse @message "took * ms" as ms | stats sum(ms) as total'
    (row,) = _rows(aws, query, "took 5 ms", "took 7 ms", "did not finish")
    assert float(row["total"]) == 12.0


@step(moto="accepts any text", ministack="accepts any text")
def a_query_has_to_be_one(aws: Account) -> None:
    named = new_stream(aws)
    wrong = refused(
        aws.client("logs").start_query,
        logGroupName=named["logGroupName"],
        queryString="stats count(* by",
        **_last_hour(),
    )
    assert wrong == ("MalformedQueryException", 400)


@step()
def a_query_needs_its_group(aws: Account) -> None:
    lost = refused(
        aws.client("logs").start_query,
        logGroupName=aws.name("/shop/none"),
        queryString="fields @message",
        **_last_hour(),
    )
    assert lost == ("ResourceNotFoundException", 400)
