"""REPORT lines as AWS prints them, and everything that is not one."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.aws.report_line import Report, decode_log_tail, parse_report

ID = "3d5f0a5e-0c8f-4c9b-9e0a-000000000001"
OTHER = "3d5f0a5e-0c8f-4c9b-9e0a-000000000002"


def text_report(request_id: str = ID, tail: str = "", duration: str = "12.34") -> str:
    return (
        f"REPORT RequestId: {request_id}\tDuration: {duration} ms\tBilled Duration: 13 ms\t"
        f"Memory Size: 128 MB\tMax Memory Used: 39 MB\t{tail}"
    )


def json_report(request_id: str = ID, **metrics: float) -> str:
    return json.dumps(
        {
            "time": "2026-01-05T10:11:12.345Z",
            "type": "platform.report",
            "record": {
                "requestId": request_id,
                "status": "success",
                "metrics": {
                    "durationMs": 12.345,
                    "billedDurationMs": 13,
                    "memorySizeMB": 128,
                    "maxMemoryUsedMB": 39,
                    **metrics,
                },
                "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1-2-3;Sampled=1"},
            },
        }
    )


WARM = Report(ID, 12.34, 13, 128, 39)

READABLE = [
    pytest.param(f"START RequestId: {ID}\nEND\n{text_report()}\n", WARM, id="warm"),
    pytest.param(
        text_report(tail="Init Duration: 110.05 ms\t\n"),
        Report(ID, 12.34, 13, 128, 39, init_ms=110.05),
        id="cold",
    ),
    pytest.param(
        text_report(tail="Restore Duration: 301.20 ms\tBilled Restore Duration: 55 ms\t\n"),
        Report(ID, 12.34, 13, 128, 39, restore_ms=301.2, billed_restore_ms=55),
        id="snapstart",
    ),
    pytest.param(
        text_report(tail="\nXRAY TraceId: 1-5e\tSegmentId: 0a0b\tSampled: true\t\n"),
        Report(ID, 12.34, 13, 128, 39, xray_trace_id="1-5e"),
        id="x-ray on the next line",
    ),
    pytest.param(
        text_report(tail="XRAY TraceId: 1-5e\tSegmentId: 0a0b\tSampled: true"),
        Report(ID, 12.34, 13, 128, 39, xray_trace_id="1-5e"),
        id="x-ray after a tab",
    ),
    pytest.param(
        text_report(tail="Status: timeout"),
        Report(ID, 12.34, 13, 128, 39, status="timeout"),
        id="timeout",
    ),
    pytest.param(
        text_report(tail="Status: error\tError Type: Runtime.ExitError"),
        Report(ID, 12.34, 13, 128, 39, status="error", error_type="Runtime.ExitError"),
        id="error",
    ),
    pytest.param(text_report(duration="3000"), Report(ID, 3000, 13, 128, 39), id="whole ms"),
    pytest.param(f"{text_report()}\nextension: bye\n", WARM, id="an extension prints after it"),
    pytest.param(
        f"\tDuration: 9.99 ms\tBilled Duration: 9 ms\n{text_report()}",
        WARM,
        id="the application prints a look-alike",
    ),
    pytest.param(f"no newline{text_report()}", WARM, id="the application printed no newline"),
    pytest.param(
        f"{text_report(duration='1.00')}\n{text_report()}", WARM, id="the last one counts"
    ),
    pytest.param(
        f"{text_report()}\n{text_report(OTHER)}", WARM, id="another invocation's after it"
    ),
    pytest.param(
        f"\ufffdcut of a line\n{json_report()}\n",
        Report(ID, 12.345, 13, 128, 39, status="success", xray_trace_id="1-2-3"),
        id="json, warm, after a cut line",
    ),
    pytest.param(
        json_report(initDurationMs=110.5),
        Report(ID, 12.345, 13, 128, 39, init_ms=110.5, status="success", xray_trace_id="1-2-3"),
        id="json, cold",
    ),
    pytest.param(
        json_report(restoreDurationMs=301.2, billedRestoreDurationMs=55),
        Report(
            ID,
            12.345,
            13,
            128,
            39,
            restore_ms=301.2,
            billed_restore_ms=55,
            status="success",
            xray_trace_id="1-2-3",
        ),
        id="json, snapstart",
    ),
]

UNREADABLE = [
    pytest.param("", id="empty"),
    pytest.param(f"START RequestId: {ID}\nEND RequestId: {ID}\n", id="no report"),
    pytest.param(text_report(OTHER), id="only another invocation's"),
    pytest.param(text_report()[40:], id="cut in its middle"),
    pytest.param(text_report(duration="fast"), id="no number"),
    pytest.param(text_report().replace("Memory Size: 128 MB\t", ""), id="a field is missing"),
    pytest.param(json_report()[30:], id="json, cut"),
    pytest.param(json_report(durationMs=float("nan")), id="json, not a number"),
    pytest.param(json_report(durationMs=True), id="json, a boolean"),
    pytest.param('{"type":"platform.report"}', id="json, empty"),
    pytest.param('{"type":"platform.report","record":{"metrics":[]}}', id="json, wrong shape"),
    pytest.param('["platform.report"]', id="json, a list"),
    pytest.param(text_report(duration="9" * 400), id="beyond any float"),
    pytest.param(text_report(duration="86400000.01"), id="longer than a day"),
    pytest.param(text_report().replace("Memory Size: 128", "Memory Size: " + "9" * 400), id="huge"),
    pytest.param(json_report(durationMs=10**400), id="json, beyond any float"),
    pytest.param(json_report(billedDurationMs=1e308), id="json, longer than a day"),
    pytest.param('platform.report {"a":' + "[" * 4000, id="json, nested too deep"),
]


@pytest.mark.parametrize(("log", "report"), READABLE)
def test_reads_what_lambda_prints(log: str, report: Report) -> None:
    assert parse_report(log, ID) == report


@pytest.mark.parametrize("log", UNREADABLE)
def test_a_report_that_is_not_there_is_no_measurement(log: str) -> None:
    assert parse_report(log, ID) is None


def test_cold_is_an_init_or_a_restore() -> None:
    assert not WARM.cold
    assert Report(ID, 1, 1, 128, 1, init_ms=2.0).cold
    assert Report(ID, 1, 1, 128, 1, restore_ms=3.0).cold
    assert Report(ID, 1, 1, 128, 1, init_ms=2.0).start_ms == 2.0


def test_a_tail_cut_inside_a_character_is_still_text() -> None:
    tail = base64.b64encode("é".encode()[1:] + text_report().encode()).decode()

    assert parse_report(decode_log_tail(tail), ID) == WARM


def test_a_tail_that_is_no_base64_is_no_measurement() -> None:
    assert decode_log_tail("not base64!") == ""


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_application_output_around_it_leaves_the_report_readable(
    before: str, after: str
) -> None:
    log = f"{before}\n{text_report()}\n{after}"

    assert parse_report(log, ID) == WARM


@given(st.text(max_size=600))
def test_no_text_breaks_the_parser(log: str) -> None:
    parse_report(log, ID)


@given(duration=st.floats(0, 9e5), billed=st.integers(1, 900_000), memory=st.integers(128, 10_240))
def test_what_is_printed_is_what_is_read(duration: float, billed: int, memory: int) -> None:
    line = (
        f"REPORT RequestId: {ID}\tDuration: {duration:.2f} ms\tBilled Duration: {billed} ms\t"
        f"Memory Size: {memory} MB\tMax Memory Used: 39 MB\t\n"
    )

    report = parse_report(line, ID)

    assert report == Report(ID, round(duration, 2), billed, memory, 39)
