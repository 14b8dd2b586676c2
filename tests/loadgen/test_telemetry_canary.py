"""Requests to the canary of a stage are found in the log group that it has for itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from core.aws.access_log import access_log_reader
from core.aws.gateway import AccessLog, Stage, rest_stage
from core.aws.log_events import LogEvent
from core.errors import AwsError
from loadgen.records import RECORD
from loadgen.target import ApiRef
from loadgen.telemetry import access_lines
from loadgen.telemetry.access_lines import AccessWatch
from loadgen.telemetry.sampling import LogSlice
from loadgen.telemetry.traces import CANARY, NO_CANARY, UNKNOWN, empty_traces

FORMAT = json.dumps({"id": "$context.requestId", "ms": "$context.responseLatency"})
WITH_FLAG = json.dumps({"id": "$context.requestId", "canary": "$context.isCanaryRequest"})


class Groups:
    """Log groups by name; one that is None does not exist."""

    def __init__(self, **lines: list[str] | None) -> None:
        self._lines = {name.replace("__", "/"): found for name, found in lines.items()}
        self.is_spent = False

    def __call__(self, session: object, name: str, *_: object) -> Groups:
        made = Groups()
        made._lines, made._name = self._lines, name
        return made

    _name = ""

    def events(self, *_: object) -> Iterator[LogEvent]:
        found = self._lines.get(self._name)
        if found is None:
            raise AwsError(f"log group {self._name} does not exist")
        for number, line in enumerate(found):
            yield LogEvent("stream", number, line)


def looked(
    monkeypatch: pytest.MonkeyPatch, groups: Groups, *, canary: bool, log_format: str = FORMAT
) -> list[int]:
    """What three requests a, b and c are of, after a look."""
    monkeypatch.setattr(access_lines, "GroupReader", groups)
    records, traces = np.zeros(3, RECORD), empty_traces(3)
    records["request_id"] = [b"a", b"b", b"c"]
    stage = Stage("prod", None, {}, AccessLog("logs", log_format), canary=canary)
    api = ApiRef("rest", "id", "shop", "prod", "eu-west-1", settings=stage)
    session: Any = None
    watch = AccessWatch(session, api, records, traces, [LogSlice(np.arange(3))], 0.0)

    watch.look(0.0)

    found: list[int] = traces["canary"].tolist()
    return found


def line(request_id: str, **more: Any) -> str:
    return json.dumps({"id": request_id, "ms": "7", **more})


def test_lines_of_its_group_are_of_the_canary(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = Groups(logs=[line("a")], logs__Canary=[line("b")])

    assert looked(monkeypatch, groups, canary=True) == [NO_CANARY, CANARY, UNKNOWN]


def test_a_group_that_is_not_there_yet_leaves_its_requests_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    groups = Groups(logs=[line("a")], logs__Canary=None)

    assert looked(monkeypatch, groups, canary=True) == [NO_CANARY, UNKNOWN, UNKNOWN]


def test_without_a_canary_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = Groups(logs=[line("a")], logs__Canary=[line("b")])

    assert looked(monkeypatch, groups, canary=False) == [UNKNOWN, UNKNOWN, UNKNOWN]


def test_what_a_line_says_of_itself_goes_before_its_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [line("a", canary="true"), line("b", canary="false"), line("c", canary="-")]

    found = looked(monkeypatch, Groups(logs=lines), canary=False, log_format=WITH_FLAG)

    assert found == [CANARY, NO_CANARY, UNKNOWN]


def test_a_format_may_have_the_flag() -> None:
    reader = access_log_reader(WITH_FLAG)
    assert reader is not None

    said = [reader.read(line("a", canary=text)) for text in ("true", "false", "-")]

    assert [one.canary if one else "?" for one in said] == [True, False, None]


def test_a_stage_says_that_it_has_a_canary() -> None:
    answer: Any = {"stageName": "prod"}

    assert not rest_stage(answer).canary
    assert rest_stage({**answer, "canarySettings": {"percentTraffic": 10.0}}).canary
