"""The platform's log lines and error payloads, compared with what AWS prints."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from execution_rig import call, version

from sandbox.execution import faults
from sandbox.execution.platform_log import PlatformLog, report_of

NOW = datetime(2026, 1, 5, 10, 11, 12, 345678, tzinfo=UTC)
SPEC = version(Path(), "echo", memory_mb=128)


def report_line(**changes):
    numbers = {
        "duration_ms": 12.344,
        "init_ms": None,
        "max_memory_used_mb": 38.2,
        "memory_mb": 128,
        "fault": None,
    }
    report = report_of(**(numbers | changes))
    fault = (numbers | changes)["fault"]
    by_platform = fault is not None and fault.by_platform
    text = PlatformLog(SPEC).report("abc", report, NOW, by_platform=by_platform).decode()
    end, line = text.splitlines()
    assert end == "END RequestId: abc"
    return line


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {},
            "REPORT RequestId: abc\tDuration: 12.34 ms\tBilled Duration: 13 ms\t"
            "Memory Size: 128 MB\tMax Memory Used: 39 MB\t",
            id="warm",
        ),
        pytest.param(
            {"duration_ms": 1.84, "init_ms": 95.30},
            "REPORT RequestId: abc\tDuration: 1.84 ms\tBilled Duration: 98 ms\t"
            "Memory Size: 128 MB\tMax Memory Used: 39 MB\tInit Duration: 95.30 ms\t",
            id="cold: Init is billed",
        ),
        pytest.param(
            {"duration_ms": 3000.0, "fault": faults.timed_out("abc", 3)},
            "REPORT RequestId: abc\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\t"
            "Memory Size: 128 MB\tMax Memory Used: 39 MB\tStatus: timeout",
            id="timeout",
        ),
        pytest.param(
            {"fault": faults.exited("abc", 1)},
            "REPORT RequestId: abc\tDuration: 12.34 ms\tBilled Duration: 13 ms\t"
            "Memory Size: 128 MB\tMax Memory Used: 39 MB\t"
            "Status: error\tError Type: Runtime.ExitError",
            id="exit",
        ),
        pytest.param(
            {"max_memory_used_mb": 140.0, "fault": faults.out_of_memory("abc")},
            "REPORT RequestId: abc\tDuration: 12.34 ms\tBilled Duration: 13 ms\t"
            "Memory Size: 128 MB\tMax Memory Used: 128 MB\t"
            "Status: error\tError Type: Runtime.OutOfMemory",
            id="out of memory: no more than there is",
        ),
        pytest.param(
            {"fault": faults.raised(b"{}", "ValueError")},
            "REPORT RequestId: abc\tDuration: 12.34 ms\tBilled Duration: 13 ms\t"
            "Memory Size: 128 MB\tMax Memory Used: 39 MB\t",
            id="an exception is the handler's affair",
        ),
    ],
)
def test_report_line(changes, expected):
    assert report_line(**changes) == expected


@pytest.mark.parametrize(
    ("duration_ms", "billed_ms"), [(0.0, 1), (0.2, 1), (1.0, 1), (1.01, 2), (1.004, 1), (99.5, 100)]
)
def test_billed_duration_is_what_is_shown_rounded_up(duration_ms, billed_ms):
    report = report_of(
        duration_ms=duration_ms, init_ms=None, max_memory_used_mb=1, memory_mb=128, fault=None
    )
    assert report.billed_ms == billed_ms


def test_json_report_is_one_object_a_line():
    spec = version(Path(), "echo", memory_mb=128, log_format="JSON")
    report = report_of(
        duration_ms=1.84,
        init_ms=95.3,
        max_memory_used_mb=38.2,
        memory_mb=128,
        fault=faults.exited("abc", 1),
    )
    line = PlatformLog(spec).report("abc", report, NOW)
    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "time": "2026-01-05T10:11:12.345Z",
        "type": "platform.report",
        "record": {
            "requestId": "abc",
            "status": "error",
            "errorType": "Runtime.ExitError",
            "metrics": {
                "durationMs": 1.84,
                "billedDurationMs": 98,
                "memorySizeMB": 128,
                "maxMemoryUsedMB": 39,
                "initDurationMs": 95.3,
            },
        },
    }


def test_json_start_names_request_and_version():
    spec = version(Path(), "echo", log_format="JSON", version="7")
    record = json.loads(PlatformLog(spec).start("abc", NOW))
    assert record["type"] == "platform.start"
    assert record["record"] == {"requestId": "abc", "version": "7"}


@pytest.mark.parametrize(
    ("level", "fault", "types"),
    [
        pytest.param(None, None, ["initStart", "start", "report"], id="INFO unless set"),
        pytest.param("DEBUG", None, ["initStart", "start", "report"], id="DEBUG"),
        pytest.param("INFO", None, ["initStart", "start", "report"], id="INFO"),
        pytest.param("WARN", None, [], id="WARN: nothing of a success"),
        pytest.param("WARN", faults.timed_out("abc", 3), ["report"], id="WARN: a timeout"),
        pytest.param("WARN", faults.raised(b"{}", "X"), ["report"], id="WARN: an exception"),
    ],
)
def test_the_system_log_level_filters_the_platforms_lines(level, fault, types):
    log = PlatformLog(version(Path(), "echo", log_format="JSON", system_log_level=level))
    report = report_of(
        duration_ms=1, init_ms=None, max_memory_used_mb=1, memory_mb=128, fault=fault
    )
    lines = [log.init_start(NOW), log.start("abc", NOW), log.report("abc", report, NOW)]
    shown = [json.loads(line)["type"] for line in lines if line]
    assert shown == [f"platform.{kind}" for kind in types]


def test_text_has_all_lines_at_any_level():
    spec = version(Path(), "echo", system_log_level="WARN")
    assert PlatformLog(spec).start("abc", NOW).startswith(b"START ")


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        pytest.param({}, ["info", "warning"], id="INFO unless set"),
        pytest.param(
            {"application_log_level": "DEBUG"}, ["debug", "info", "warning"], id="all of it"
        ),
        pytest.param({"application_log_level": "WARN"}, ["warning"], id="warnings"),
        pytest.param({"application_log_level": "FATAL"}, [], id="nothing"),
    ],
)
def test_the_application_log_level_filters_what_handlers_log(tmp_path, changes, shown):
    (tmp_path / "main.py").write_text(
        "import logging\n"
        "def go(event, context):\n"
        "    for level in ('debug', 'info', 'warning'):\n"
        "        getattr(logging.getLogger(), level)('%s', level)\n"
    )
    [result] = call(version(tmp_path, "main.go", log_format="JSON", **changes), {})
    records = [json.loads(line) for line in result.log.splitlines()]
    assert [record["message"] for record in records if "message" in record] == shown


def test_log_levels_of_a_function_reach_its_log(client, new_function):
    levels = {"LogFormat": "JSON", "SystemLogLevel": "WARN", "ApplicationLogLevel": "ERROR"}
    source = (
        "import logging, os\n"
        "def handler(event, context):\n"
        "    logging.getLogger().warning('hidden')\n"
        "    logging.getLogger().error('shown')\n"
        "    return [os.environ['AWS_LAMBDA_LOG_' + it] for it in ('FORMAT', 'LEVEL')]\n"
    )
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", source)
    name = new_function(
        Code={"ZipFile": code.getvalue()}, Environment={"Variables": {}}, LoggingConfig=levels
    )
    answer = client.invoke(FunctionName=name, LogType="Tail")
    assert json.loads(answer["Payload"].read()) == ["JSON", "ERROR"]
    lines = base64.b64decode(answer["LogResult"]).splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["shown"]


@pytest.mark.parametrize(
    ("runtime", "shown"),
    [
        ("python3.12", "python:3.12.v1"),
        ("nodejs20.x", "nodejs:20.x.v1"),
        ("provided.al2023", "provided:al2023.v1"),
    ],
)
def test_init_start_names_the_runtime(runtime, shown):
    line = PlatformLog(version(Path(), "echo", runtime=runtime)).init_start(NOW).decode()
    assert line.startswith(f"INIT_START Runtime Version: {shown}\tRuntime Version ARN: arn:aws:")
    assert ":eu-west-1::runtime:" in line


def test_init_report_says_what_went_wrong():
    log = PlatformLog(SPEC)
    line = log.init_report(NOW, init_ms=9999.99, phase="init", status="timeout")
    assert line == b"INIT_REPORT Init Duration: 9999.99 ms\tPhase: init\tStatus: timeout\n"
    line = log.init_report(NOW, init_ms=5, phase="invoke", status="error", error_type="X")
    assert (
        line == b"INIT_REPORT Init Duration: 5.00 ms\tPhase: invoke\tStatus: error\tError Type: X\n"
    )


@pytest.mark.parametrize(
    ("returncode", "reason"),
    [
        (0, "Runtime exited without providing a reason"),
        (1, "Runtime exited with error: exit status 1"),
        (-9, "Runtime exited with error: signal: killed"),
        (-11, "Runtime exited with error: signal: segmentation fault"),
        (-63, "Runtime exited with error: signal: signal 63"),
    ],
)
def test_exits_are_worded_as_aws_words_them(returncode, reason):
    assert json.loads(faults.exited("abc", returncode).payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: abc Error: {reason}",
    }


def test_a_timeout_names_its_seconds():
    fault = faults.timed_out("abc", 3)
    assert json.loads(fault.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: abc Error: Task timed out after 3.00 seconds",
    }


@pytest.mark.parametrize(
    ("body", "header", "expected"),
    [
        (b'{"errorType": "KeyError"}', "Unhandled", "KeyError"),
        (b'{"errorType": "KeyError"}', None, "KeyError"),
        (b"not json", None, "Unhandled"),
        (b"[1]", None, "Unhandled"),
        (b'{"errorType": 5}', None, "Unhandled"),
    ],
)
def test_the_type_of_an_error_is_found_or_unhandled(body, header, expected):
    assert faults.raised(body, header).error_type == expected
