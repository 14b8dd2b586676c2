"""Access log lines of requests: what they say, those of a canary, and why some are missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.aws.access_log import access_log_reader
from core.aws.gateway import AccessLog, Stage, rest_stage
from core.aws.log_events import LogEvent
from core.errors import AwsError
from loadgen import log_evidence
from loadgen.log_evidence import LAMBDA_THROTTLE, LogEvidence
from loadgen.outcome import Cause, Kind, Outcome
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
        made._lines, made._name, made.code = self._lines, name, self.code
        return made

    _name = ""
    code = "ResourceNotFoundException"

    def events(self, *_: object) -> Iterator[LogEvent]:
        found = self._lines.get(self._name)
        if found is None:
            raise AwsError(f"log group {self._name} does not exist", code=self.code)
        for number, line in enumerate(found):
            yield LogEvent("stream", number, line)


def looked(
    monkeypatch: pytest.MonkeyPatch, groups: Groups, *, canary: bool, log_format: str = FORMAT
) -> list[int]:
    """What three requests a, b and c are of, after a look."""
    watch = watch_of(monkeypatch, groups, canary=canary, log_format=log_format)

    watch.look(0.0)

    found: list[int] = watch.traces["canary"].tolist()
    return found


def watch_of(
    monkeypatch: pytest.MonkeyPatch, groups: Groups, *, canary: bool, log_format: str = FORMAT
) -> AccessWatch:
    """Looks for three requests a, b and c."""
    monkeypatch.setattr(access_lines, "GroupReader", groups)
    records, traces = np.zeros(3, RECORD), empty_traces(3)
    records["request_id"] = [b"a", b"b", b"c"]
    stage = Stage("prod", None, {}, AccessLog("logs", log_format), canary=canary)
    api = ApiRef("rest", "id", "shop", "prod", "eu-west-1", settings=stage)
    session: Any = None
    return AccessWatch(session, api, records, traces, [LogSlice(np.arange(3))], 0.0)


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


@pytest.mark.parametrize(
    ("code", "settled", "why"),
    [
        pytest.param("ResourceNotFoundException", False, "lines come up to", id="not yet"),
        pytest.param("ResourceNotFoundException", True, "no line of the others", id="long over"),
        pytest.param("AccessDeniedException", True, "that of the canary could not", id="denied"),
    ],
)
def test_why_requests_are_missing_is_said(
    monkeypatch: pytest.MonkeyPatch, code: str, settled: Any, why: str
) -> None:
    groups = Groups(logs=[line("a")], logs__Canary=None)
    groups.code = code
    watch = watch_of(monkeypatch, groups, canary=True)

    watch.look(0.0)

    match = watch.match(settled=settled)
    assert (match.matched, match.wanted) == (1, 3)
    assert why in match.why


def test_nothing_is_said_where_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = Groups(logs=[line(name) for name in "abc"])
    watch = watch_of(monkeypatch, groups, canary=False)

    watch.look(0.0)

    assert watch.match(settled=True).why == ""


def test_the_extended_id_of_rest_apis_is_not_the_one_that_clients_see(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log_format = json.dumps({"id": "$context.extendedRequestId"})

    watch = watch_of(monkeypatch, Groups(), canary=False, log_format=log_format)

    assert "has no $context.requestId" in watch.match(settled=False).why
    assert not watch.waits


def test_failed_requests_of_a_canary_are_looked_up_in_its_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = json.dumps(
        {"id": "$context.requestId", "call": "$context.integration.integrationStatus"}
    )
    lines = {"logs": [], "logs/Canary": [json.dumps({"id": "a", "call": "429"})]}

    def events(client: object, group: str, *_: object, **__: object) -> Iterator[list[str]]:
        yield lines[group]

    monkeypatch.setattr(log_evidence, "filter_events", events)
    stage = Stage("prod", None, {}, AccessLog("logs", text), canary=True)
    session: Any = SimpleNamespace(logs=lambda: None)
    records = np.zeros(1, RECORD)
    records["request_id"], records["status"] = b"a", 500
    kinds = np.array([Kind(Outcome.SERVER_ERROR, Cause.UNKNOWN).code], np.uint16)
    limits: Any = None
    api = ApiRef("rest", "id", "shop", "prod", "eu-west-1", settings=stage)

    found = LogEvidence(session, api, limits, 0.0).look(records, np.arange(1), kinds)

    assert found.kinds.tolist() == [LAMBDA_THROTTLE.code]


def test_a_log_that_tells_authorizers_tells_where_none_was_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log_format = json.dumps({"id": "$context.requestId", "by": "$context.authorizer.latency"})
    groups = Groups(logs=[line("a", by="31"), line("b", by="-")])
    told = watch_of(monkeypatch, groups, canary=False, log_format=log_format)
    silent = watch_of(monkeypatch, groups, canary=False)

    for watch in (told, silent):
        watch.look(0.0)

    known, unknown = told.traces["authorizer_ms"], silent.traces["authorizer_ms"]
    assert known[:2].tolist() == [31.0, 0.0]
    assert np.isnan([known[2], *unknown]).all()


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
