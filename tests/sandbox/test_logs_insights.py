"""The Logs Insights language: what it reads, finds, computes and refuses."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.logs_api.insights.errors import QueryError
from sandbox.logs_api.insights.query import Query
from sandbox.logs_api.insights.values import Measured, text_of
from sandbox.telemetry.log_merge import LogEvent

START_MS = 1_767_605_400_000  # 2026-01-05 09:30:00
UUIDS = [f"{number:08x}-2222-3333-4444-555555555555" for number in range(1, 9)]


def run(
    text: str, messages: Sequence[str], *, group: str = "/aws/lambda/f", step_ms: int = 60_000
) -> list[dict[str, str]]:
    """The rows that a query gives for messages, each `step_ms` after the one before."""
    query = Query(text, "000000000000")
    for number in reversed(range(len(messages))):
        at_ms = START_MS + number * step_ms
        query.take(LogEvent(at_ms, number, at_ms + 5, group, "s", messages[number]))
    for _ in query.finish():
        pass
    return [{name: value for name, value in row if name != "@ptr"} for row in query.rows]


def documents(*values: Any) -> list[str]:
    return [json.dumps(value) for value in values]


def report(request_id: str, duration: float, memory: int, used: int, more: str = "") -> str:
    return (
        f"REPORT RequestId: {request_id}\tDuration: {duration:.2f} ms\t"
        f"Billed Duration: {math.ceil(duration)} ms\tMemory Size: {memory} MB\t"
        f"Max Memory Used: {used} MB\t{more}\n"
    )


LAMBDA_LINES = [
    f"START RequestId: {UUIDS[0]} Version: $LATEST\n",
    f'[INFO]\t2026-01-05T09:31:00.000Z\t{UUIDS[0]}\tfound {{"items": 3}} of it\n',
    f"END RequestId: {UUIDS[0]}\n",
    report(UUIDS[0], 20.5, 256, 70, "Init Duration: 110.05 ms\t"),
    report(UUIDS[1], 10.25, 256, 71, "\nXRAY TraceId: 1-aa\tSegmentId: 0011\tSampled: true\t"),
    report(
        UUIDS[2], 30.0, 256, 72, "Restore Duration: 301.20 ms\tBilled Restore Duration: 55 ms\t"
    ),
]


class TestDiscovery:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            (0, {"@type": "START", "@requestId": UUIDS[0]}),
            (1, {"@requestId": UUIDS[0], "items": "3"}),
            (2, {"@type": "END", "@requestId": UUIDS[0]}),
            (
                3,
                {
                    "@type": "REPORT",
                    "@requestId": UUIDS[0],
                    "@duration": "20.5",
                    "@billedDuration": "21.0",
                    "@memorySize": "2.56E8",
                    "@maxMemoryUsed": "7.0E7",
                    "@initDuration": "110.05",
                },
            ),
            (
                4,
                {
                    "@type": "REPORT",
                    "@requestId": UUIDS[1],
                    "@duration": "10.25",
                    "@billedDuration": "11.0",
                    "@memorySize": "2.56E8",
                    "@maxMemoryUsed": "7.1E7",
                    "@xrayTraceId": "1-aa",
                    "@xraySegmentId": "0011",
                },
            ),
        ],
        ids=["start", "application", "end", "cold", "traced"],
    )
    def test_lambda_lines(self, line: int, expected: dict[str, str]) -> None:
        names = (
            "@type, @requestId, @duration, @billedDuration, @memorySize, @maxMemoryUsed, "
            "@initDuration, @xrayTraceId, @xraySegmentId, items"
        )

        assert run(f"fields {names}", [LAMBDA_LINES[line]]) == [expected]

    def test_every_event_has_these(self) -> None:
        query = "fields @timestamp, @ingestionTime, @message, @logStream, @log"

        assert run(query, ["hi"], group="g") == [
            {
                "@timestamp": "2026-01-05 09:30:00.000",
                "@ingestionTime": "2026-01-05 09:30:00.005",
                "@message": "hi",
                "@logStream": "s",
                "@log": "000000000000:g",
            }
        ]

    @pytest.mark.parametrize(
        ("field", "expected"),
        [
            ("status", "429"),
            ("a.b", "1"),
            ("list.0.x", "first"),
            ("list.1", "2"),
            ("dotted.name.inner", "yes"),
            ("`odd-name`", "odd"),
            ("empty", "{}"),
            ("flag", "1"),
            ("share", "0.5"),
            ("@@own", "mine"),
            ("none", None),
            ("a", None),
            ("list.7", None),
            ("list.x", None),
            ("status.x", None),
            ("missing", None),
        ],
    )
    def test_json_members(self, field: str, expected: str | None) -> None:
        message = json.dumps(
            {
                "status": 429,
                "a": {"b": 1},
                "list": [{"x": "first"}, 2],
                "dotted.name": {"inner": "yes"},
                "odd-name": "odd",
                "empty": {},
                "flag": True,
                "share": 0.5,
                "@own": "mine",
                "none": None,
            }
        )

        [row] = run(f"fields {field} as value", [message], group="access-log")

        assert row.get("value") == expected

    def test_json_in_the_middle_counts_for_lambda_only(self) -> None:
        line = ['before {"a": 1} after']

        assert run("fields a", line) == [{"a": "1"}]
        assert run("fields a", line, group="other") == [{}]

    def test_numbers_print_as_java_prints_them(self) -> None:
        shown = [text_of(Measured(x)) for x in (0.0, 13.0, 12.34, 1.28e8, 1.024e10, 5e-5, -2.5e7)]

        assert shown == ["0.0", "13.0", "12.34", "1.28E8", "1.024E10", "5.0E-5", "-2.5E7"]


class TestKnownTruth:
    """The queries that people begin with, on lines of which the answers are known."""

    def test_latency_and_cold_starts(self) -> None:
        lines = [
            report(
                UUIDS[0], float(duration), 128, 40, "Init Duration: 100.00 ms\t" * (duration < 3)
            )
            for duration in range(1, 11)
        ]
        query = (
            'filter @type = "REPORT" | stats count(*) n, count(@initDuration) cold, '
            "avg(@duration) a, pct(@duration,50) p50, pct(@duration,95) p95,\n"
            "  pct(@duration,99) p99, max(@initDuration) initmax by bin(5m)"
        )

        rows = run(query, [*LAMBDA_LINES[:3], *lines], step_ms=0)

        assert rows == [
            {
                "bin(5m)": "2026-01-05 09:30:00.000",
                "n": "10",
                "cold": "2",
                "a": "5.5",
                "p50": "5.5",
                "p95": "9.55",
                "p99": "9.91",
                "initmax": "100",
            }
        ]

    def test_memory_that_nobody_uses(self) -> None:
        query = (
            'filter @type = "REPORT" | stats max(@memorySize/1000/1000) as prov, '
            "max(@maxMemoryUsed/1000/1000) as used, prov-used as spare"
        )

        assert run(query, LAMBDA_LINES) == [{"prov": "256", "used": "72", "spare": "184"}]

    def test_cold_starts_with_a_snapshot(self) -> None:
        query = (
            'filter @type = "REPORT" | parse @message /Restore Duration: (?<restore>[0-9.]+) ms/ '
            "| stats pct(restore + @duration, 99) by bin(5m)"
        )

        rows = run(query, LAMBDA_LINES)

        assert rows[0] == {
            "bin(5m)": "2026-01-05 09:35:00.000",
            "pct(restore + @duration, 99)": "331.2",
        }
        # Nobody restored in the other five minutes, which are a group all the same.
        assert rows[1] == {"bin(5m)": "2026-01-05 09:30:00.000"}

    def test_json_logs(self) -> None:
        lines = documents(
            *(
                {"type": "platform.report", "record": {"metrics": metrics}}
                for metrics in (
                    {"durationMs": 10.5, "billedDurationMs": 11, "initDurationMs": 100.0},
                    {"durationMs": 20.5, "billedDurationMs": 21},
                )
            ),
            {"type": "platform.start"},
        )
        query = (
            'filter type = "platform.report" | stats pct(record.metrics.durationMs,95), '
            "sum(record.metrics.billedDurationMs), count(record.metrics.initDurationMs)"
        )

        assert run(query, lines) == [
            {
                "pct(record.metrics.durationMs,95)": "20",
                "sum(record.metrics.billedDurationMs)": "32",
                "count(record.metrics.initDurationMs)": "1",
            }
        ]

    def test_an_access_log_by_status(self) -> None:
        lines = documents(*({"status": s, "latency": n} for n, s in enumerate([200, 200, 429])))
        query = "stats count(*) as n, avg(latency) by status | sort n desc"

        assert run(query, lines, group="access") == [
            {"status": "200", "n": "2", "avg(latency)": "0.5"},
            {"status": "429", "n": "1", "avg(latency)": "2"},
        ]


ROWS = documents(
    {"n": 1, "s": "alpha", "x": "10"},
    {"n": 2, "s": "Beta", "x": "9"},
    {"n": 3, "s": "gamma ray", "y": ""},
    {"n": 10},
)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("n = 2", [2]),
        ("n != 2", [10, 3, 1]),
        ("n > 1 and n < 10", [3, 2]),
        ("n >= 3 or n <= 1", [10, 3, 1]),
        ("n = 1 or n = 2 and n = 3", [1]),
        ("(n = 1 or n = 2) and n = 2", [2]),
        ("not n = 1", [10, 3, 2]),
        ("not (n = 1 or n = 10)", [3, 2]),
        ("x > 9", [1]),
        ('x = "9"', [2]),
        ("x = 9.0", [2]),
        ('s = "alpha"', [1]),
        ("s < 'b'", [2, 1]),
        ('s like "a"', [3, 2, 1]),
        ("s like /^al/", [1]),
        ("s like /(?i)^b/", [2]),
        ("s not like /a$/", [10, 3]),
        ("s =~ /m+a/", [3]),
        ("n in [1, 3, 4]", [3, 1]),
        ('s in ["alpha", "x"]', [1]),
        ("n not in [1, 3]", [10, 2]),
        ("ispresent(s)", [3, 2, 1]),
        ("not ispresent(s)", [10]),
        ("isblank(y)", [10, 3, 2, 1]),
        ("isempty(s)", [10]),
        ("n * 2 + 1 = 5", [2]),
        ("n - 1 - 1 = 1", [3]),
        ("2 ^ n = 8", [3]),
        ("-n = -3", [3]),
        ("n % 3 = 1", [10, 1]),
        ("n / 0 = 1", []),
        ('strcontains(s, "ray")', [3]),
        ("strlen(s) = 4", [2]),
        ("N = 1", []),
        ("n=1 # the first\n", [1]),
    ],
)
def test_filter(condition: str, expected: list[int]) -> None:
    rows = run(f"filter {condition} | fields n", ROWS, group="g")

    assert [int(row["n"]) for row in rows] == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("abs(-2.5)", "2.5"),
        ("ceil(1.2)", "2"),
        ("floor(-1.2)", "-2"),
        ("sqrt(16)", "4"),
        ("sqrt(-1)", None),
        ("log(1)", "0"),
        ("greatest(1, 3, 2)", "3"),
        ("least(4, missing, 2)", "2"),
        ("1 / 3", "0.3333"),
        ("10 - 4 / 2", "8"),
        ("concat('a', 1, 'b')", "a1b"),
        ("coalesce(missing, s)", "Text"),
        ("coalesce(missing)", None),
        ("tolower(s)", "text"),
        ("toupper(s)", "TEXT"),
        ("strlen(s)", "4"),
        ("substr(s, 1)", "ext"),
        ("substr(s, 1, 2)", "ex"),
        ("replace(s, 'x', 'ss')", "Tesst"),
        ("trim('  a ')", "a"),
        ("ltrim('xxa', 'x')", "a"),
        ("toMillis(@timestamp)", str(START_MS)),
        ("fromMillis(toMillis(@timestamp) + 1)", "2026-01-05 09:30:00.001"),
        ("bin(1h)", "2026-01-05 09:00:00.000"),
        ("datefloor(@timestamp, 1d)", "2026-01-05 00:00:00.000"),
        ("dateceil(@timestamp, 1h)", "2026-01-05 10:00:00.000"),
        ("if(n > 1, 'many', 'one')", "many"),
        ("ispresent(missing)", "0"),
        ("n > 1", "1"),
        ("missing + 1", None),
        ("s + 1", None),
    ],
)
def test_expressions(expression: str, expected: str | None) -> None:
    [row] = run(f"fields {expression} as v", documents({"n": 2, "s": "Text"}), group="g")

    assert row.get("v") == expected


class TestCommands:
    def test_without_fields_there_are_time_and_message(self) -> None:
        assert run("limit 1", ["a", "b"]) == [
            {"@timestamp": "2026-01-05 09:31:00.000", "@message": "b"}
        ]

    def test_the_name_of_a_column_is_its_text(self) -> None:
        assert run("fields n, n  +  1, n as m", ROWS[:1], group="g") == [
            {"n": "1", "n + 1": "2", "m": "1"}
        ]

    def test_display_says_alone_what_is_shown(self) -> None:
        assert run("fields n, s | display s", ROWS[:1], group="g") == [{"s": "alpha"}]

    @pytest.mark.parametrize(
        "command",
        [
            'parse "user=*, took * ms" as user, took',
            'parse @message "user=*, took * ms*" as user, took, rest',
            "parse @message /user=(?<user>[a-z]+), took (?<took>\\d+)/",
            "parse @message /user=([a-z]+), took (\\d+)/ as user, took",
        ],
    )
    def test_parse(self, command: str) -> None:
        rows = run(f"{command} | display user, took * 2 as twice", ["user=bob, took 12 ms", "no"])

        assert rows == [{}, {"user": "bob", "twice": "24"}]

    def test_parsed_fields_are_shown_beside_the_others(self) -> None:
        assert run('fields @message | parse "a*" as rest', ["abc"]) == [
            {"@message": "abc", "rest": "bc"}
        ]

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("n", ["1", "2", "3", "10"]),
            ("n desc", ["10", "3", "2", "1"]),
            ("s", ["10", "2", "1", "3"]),
            ("x", ["10", "3", "2", "1"]),
            ("x desc, n asc", ["1", "2", "3", "10"]),
            ("strlen(s) desc | limit 2", ["3", "1"]),
        ],
    )
    def test_sort(self, sort: str, expected: list[str]) -> None:
        assert [row["n"] for row in run(f"fields n | sort {sort}", ROWS, group="g")] == expected

    def test_a_sort_with_a_limit_is_the_beginning_of_the_whole(self) -> None:
        numbers = [(number * 7_919) % 10_007 for number in range(5_000)]

        rows = run("fields n | sort n desc | limit 20", documents(*({"n": n} for n in numbers)))

        assert [int(row["n"]) for row in rows] == sorted(numbers, reverse=True)[:20]

    def test_numbers_in_texts_sort_by_their_size(self) -> None:
        rows = run("fields s | sort s", documents({"s": "v10"}, {"s": "v9"}, {"s": "a"}))

        assert [row["s"] for row in rows] == ["a", "v9", "v10"]

    def test_dedup_keeps_the_first_of_a_kind_and_what_has_none(self) -> None:
        rows = documents({"k": 1, "n": 1}, {"n": 2}, {"k": 1, "n": 3}, {"n": 4}, {"k": 2, "n": 5})

        assert [row["n"] for row in run("fields n | dedup k", rows)] == ["5", "4", "3", "2"]

    def test_stats_of_stats(self) -> None:
        query = "stats count(*) as n by s | stats max(n) as most, count(*) as kinds"

        assert run(query, documents(*({"s": s} for s in "abbc"))) == [{"most": "2", "kinds": "3"}]

    def test_the_result_of_stats_can_be_filtered(self) -> None:
        query = "stats count(*) as n by s | filter n > 1 | fields n * 10 as tens"

        assert run(query, documents(*({"s": s} for s in "abb"))) == [
            {"s": "b", "n": "2", "tens": "20"}
        ]

    def test_stats_of_nothing_is_nothing(self) -> None:
        assert run('filter @message = "x" | stats count(*)', ["a"]) == []

    def test_groups_of_time_come_newest_first(self) -> None:
        rows = run("stats count(*) as n by bin(2m) as t", ["x"] * 5)

        assert [(row["t"][11:16], row["n"]) for row in rows] == [
            ("09:34", "1"),
            ("09:32", "2"),
            ("09:30", "2"),
        ]

    def test_the_earliest_and_the_latest(self) -> None:
        query = "stats earliest(n) as e, latest(n) as l, max(@timestamp) as t, sortsLast(s) as z"

        assert run(query, ROWS) == [
            {"e": "1", "l": "10", "t": "2026-01-05 09:33:00.000", "z": "gamma ray"}
        ]

    def test_matched_events_are_counted_before_they_are_aggregated(self) -> None:
        query = Query("filter n > 1 | stats count(*) as n | filter n > 100", "0")
        for number, message in enumerate([*ROWS, "é"]):
            query.take(LogEvent(number, number, number, "g", "s", message))
        list(query.finish())

        assert (query.scanned, query.matched, query.rows) == (5, 3, [])
        assert query.scanned_bytes == sum(map(len, ROWS)) + 2


numbers = st.floats(-1e9, 1e9, allow_nan=False).map(lambda x: round(x, 3) + 0.0)


@given(st.lists(numbers, min_size=1, max_size=60), st.sampled_from([0, 12.5, 50, 95, 99.9, 100]))
def test_statistics_agree_with_numpy(values: list[float], percent: float) -> None:
    query = (
        f"stats sum(v) as s, avg(v) as a, min(v) as lo, max(v) as hi, stddev(v) as d, "
        f"median(v) as m, pct(v, {percent}) as p, count(v) as n, count_distinct(v) as k"
    )
    array = np.array(values)

    [row] = run(query, [*documents(*({"v": value} for value in values)), "no number"])

    expected = {
        "s": array.sum(),
        "a": array.mean(),
        "lo": array.min(),
        "hi": array.max(),
        "d": array.std(),
        "m": np.median(array),
        "p": np.percentile(array, percent),
    }
    # Results have four decimals.
    for name, value in expected.items():
        assert float(row[name]) == pytest.approx(value, rel=1e-9, abs=1e-4)
    assert row["n"] == str(len(values))
    assert row["k"] == str(len(set(values)))


@pytest.mark.parametrize(
    ("query", "start", "reason"),
    [
        ("", 0, "expected a command"),
        ("fetch x", 0, "expected a command"),
        ("pattern @message", 0, "does not run the command 'pattern'"),
        ("fields", 6, "unexpected end of input"),
        ("fields a,", 9, "unexpected end of input"),
        ("fields a b", 9, "expected ',', '|' or the end"),
        ("fields a |", 10, "unexpected end of input"),
        ("fields ~", 7, "unexpected symbol '~'"),
        ("fields nosuch(a)", 7, "unknown function 'nosuch'"),
        ("fields strlen(a, b)", 7, r"expected 1 arguments \(got 2\)"),
        ("fields a as", 11, "expected a name"),
        ("filter a =", 10, "unexpected end of input"),
        ("filter a like b", 14, "expected a string or"),
        ("filter a like /x", 14, "no closing '/'"),
        ("filter a like /(/", 14, "not a regular expression"),
        ("filter (a = 1", 13, r"expected '\)'"),
        ("filter count(*) > 1", 7, "unknown function 'count'"),
        ("limit x", 6, "expected a whole number"),
        ("limit 0", 6, "expected 1 to 100000"),
        ("limit 100001", 6, "expected 1 to 100000"),
        ("stats a", 6, "a is neither aggregated nor grouped by"),
        ("stats abs(1)", 6, "abs aggregates nothing"),
        ("stats pct(a, 101)", 6, "from 0 to 100"),
        ("stats pct(a, b)", 6, "from 0 to 100"),
        ("stats count(*) by bin(5)", 18, "expected a period"),
        ("stats count(*) by bin(5y)", 22, "expected a number with ms, s, m, h or d"),
        ("stats count(*) by bin(0m)", 22, "out of range"),
        ("stats sum(*)", 10, r"only count takes a \*"),
        ("fields 5m", 7, "take a period"),
        ("parse @message 'a*b'", 15, "1 unnamed parts and 0 names"),
        ("parse @message 'ab' as x", 15, "0 unnamed parts and 1 names"),
        ("sort", 4, "unexpected end of input"),
        ("fields " + "(" * 200, 37, "nested too deeply"),
        ("fields " + "a+" * 200 + "a", 308, "too long"),
    ],
)
def test_a_query_that_cannot_run_says_where_and_why(query: str, start: int, reason: str) -> None:
    with pytest.raises(QueryError, match=reason) as caught:
        Query(query, "0")

    assert caught.value.start == start
    assert start <= caught.value.end <= len(query)


_WORDS = (
    "fields filter stats parse sort limit dedup display by as | and or not like in = != =~ < ( ) "
    "[ ] , * - / /a(?<x>.)/ 'a*' \" n s @timestamp @message 5m bin(5m) 3 count(*) avg(n) abs( # ^ "
    "1e999"
)
_PIECES = st.sampled_from([*_WORDS.split(), "pct(n, 50)", "substr(s, 1)", "`q q`", "\n"])


@given(st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=14).map(" ".join)))
def test_any_text_is_a_query_or_an_error_of_its_own(text: str) -> None:
    with contextlib.suppress(QueryError):
        run(text, [*ROWS, *LAMBDA_LINES])


@pytest.mark.parametrize(
    "text",
    [
        "filter " + "not " * 5_000 + "a",
        "filter " + "a and " * 1_500 + "a",
        "filter " + " or ".join(["a = 1"] * 1_000),
        "fields " + "-" * 5_000 + "1",
        "fields " + "2^" * 3_000 + "2",
        "fields " + "abs(" * 2_000 + "1" + ")" * 2_000,
        "fields " + "a*" * 140 + "a",
        "fields " + "9" * 9_000,
        "limit " + "9" * 9_000,
        "fields " + "(" * 25 + "+".join(["a"] * 100) + ")" * 25,
    ],
    ids=lambda text: text[:16],
)
def test_long_and_deep_queries_run_or_are_refused(text: str) -> None:
    with contextlib.suppress(QueryError):
        run(text, ROWS)
