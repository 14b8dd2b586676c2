"""What is known of a request after a run, from logs, limits and metrics."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.aws.access_log import AccessLine
from core.aws.gateway import AccessLog, Stage
from core.aws.session import AwsSession, LocalAccess
from loadgen.evidence import Findings, Waiting, arrivals, gather, not_asked
from loadgen.limits import Bucket, Limits, StepLimits
from loadgen.limits_reading import read_limits
from loadgen.log_evidence import kind_by_line
from loadgen.outcome import Cause, Evidence, Kind, Outcome
from loadgen.profile.model import Profile
from loadgen.records import RECORD, Records
from loadgen.steps import step_infos
from loadgen.target import ApiRef, Resolved, resolve
from reports.load_document import TargetFacts
from sandbox.admin_client import AdminClient
from tests.loadgen.shop import (
    BASIC_KEY,
    QUOTA_KEY,
    Caller,
    canned_aws,
    profile_of,
    wire_kind,
)

THROTTLED = wire_kind(429)
BROKEN = wire_kind(500)


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self, patience_s: float = math.inf) -> None:
        self.now_s = 0.0
        self.waiting = Waiting(
            sleep=self.sleep, clock=lambda: self.now_s, stopped=lambda: self.now_s >= patience_s
        )

    def sleep(self, length_s: float) -> None:
        self.now_s += length_s


def kinds(findings: Findings) -> list[Kind]:
    return [Kind.of(code) for code in findings.new_kinds.tolist()]


# -- against the sandbox --------------------------------------------------------------------------

LAYERS = {
    "stage": Cause.STAGE,
    "method": Cause.METHOD,
    "route": Cause.METHOD,
    "usage-plan": Cause.USAGE_PLAN,
    "usage-plan-method": Cause.USAGE_PLAN_METHOD,
    "quota": Cause.QUOTA,
}


def refused_by_layer(access: LocalAccess) -> Counter[Cause]:
    """How many requests each layer has refused so far: the truth."""
    document = AdminClient(access.endpoint_url).limits()
    found: Counter[Cause] = Counter()
    for limit in document["throttles"] + document["quotas"]:
        if limit["level"] in LAYERS:
            found[LAYERS[limit["level"]]] += limit["refused"]
    return found


def gathered(
    session: AwsSession, profile: Profile, caller: Caller, records: Records | None = None
) -> Findings:
    resolved = resolve(profile, session)
    return gather(
        caller.records if records is None else records,
        step_infos(profile),
        read_limits(resolved, profile, session),
        resolved,
        session,
        profile,
        caller.started_unix_s,
        lambda _: None,
    )


def test_every_limit_of_a_rest_api_is_named(shop: AwsSession, shop_access: LocalAccess) -> None:
    basic, quota = ({"x-api-key": key} for key in (BASIC_KEY, QUOTA_KEY))
    profile = profile_of(
        {"api": {"name": "shop"}},
        {"get": "/search"},
        {"post": "/orders", "headers": basic},
        {"get": "/orders/1", "headers": basic},
        {"get": "/orders/2", "headers": quota},
        {"get": "/products"},
        {"post": "/slow"},
    )
    before = refused_by_layer(shop_access)
    caller = Caller(resolve(profile, shop).base_url, profile)
    for step, times in enumerate((15, 8, 12, 6, 40)):
        caller.call(step, times=times)
    caller.call_at_once(5, times=4)
    broken = int((caller.records["status"] == 500).sum())
    truth = refused_by_layer(shop_access) - before

    findings = gathered(shop, profile, caller)

    found = Counter(kind.cause for kind in kinds(findings) if kind.outcome == Outcome.THROTTLED)
    concurrency = found.pop(Cause.LAMBDA_CONCURRENCY)
    assert concurrency == broken > 0
    assert set(truth) >= {Cause.METHOD, Cause.USAGE_PLAN_METHOD, Cause.QUOTA, Cause.STAGE}
    assert (found - truth).total() <= 0.05 * truth.total()
    evidence = {kind.cause: kind.evidence for kind in kinds(findings)}
    assert evidence[Cause.QUOTA] == evidence[Cause.LAMBDA_CONCURRENCY] == Evidence.ACCESS_LOG
    assert evidence[Cause.STAGE] == evidence[Cause.METHOD] == Evidence.CONFIGURATION
    looked_up = truth.total() + broken
    assert f"access log: {looked_up} of {looked_up} requests looked up were found" in findings.notes


def test_without_a_log_the_metric_throttles_names_lambda(shop: AwsSession) -> None:
    profile = profile_of(
        {"api": {"name": "twin"}}, {"post": "/late"}, aws={"access_logs": False, "settle": "1s"}
    )
    caller = Caller(resolve(profile, shop).base_url, profile)
    caller.call_at_once(0, times=5)
    refused = np.flatnonzero(caller.records["status"] == 503)

    all_of_them = gathered(shop, profile, caller)
    half = gathered(shop, profile, caller, np.delete(caller.records, refused[:2]))

    by_metrics = Kind(Outcome.THROTTLED, Cause.LAMBDA_CONCURRENCY, Evidence.METRICS)
    assert len(refused) > 2
    assert kinds(all_of_them).count(by_metrics) == len(refused)
    assert by_metrics not in kinds(half)
    note = (
        f"function late: {len(refused) - 2} 5xx that nothing explains, and {len(refused)} "
        "Throttles in the minutes of the run (0 of them explained)"
    )
    assert half.notes == [note]


# -- against an AWS that says what a test wants ---------------------------------------------------

FORMAT = (
    '{"id": "$context.requestId", "status": "$context.status",'
    ' "why": "$context.error.responseType", "lambda": "$context.integration.integrationStatus"}'
)
STAGE = Stage("prod", None, {}, AccessLog("/access", FORMAT))
API = ApiRef("rest", "ab12", "shop", "prod", "us-east-1", settings=STAGE)
BUCKET = Bucket(Cause.STAGE, "stage prod", 1.0, 1, "stage")
PLAN_METHOD = Bucket(Cause.USAGE_PLAN_METHOD, "GET /products in plan basic", 2.0, 3, "method")


def record(request_id: str, kind: Kind, status: int, at_s: float = 0.0) -> tuple[Any, ...]:
    at_us = int(at_s * 1e6)
    return (at_us, at_us, 1000, 0, 0, 0, 0, status, kind.code, 0, 0, request_id.encode(), 0, 0, 1)


def event(request_id: str, status: int, why: str = "-", of_lambda: str = "-") -> dict[str, str]:
    return {
        "message": f'{{"id": "{request_id}", "status": "{status}", "why": "{why}",'
        f' "lambda": "{of_lambda}"}}'
    }


def with_logs(
    rows: list[tuple[Any, ...]],
    *answers: tuple[int, Any],
    api: ApiRef = API,
    limits: Limits | None = None,
    patience_s: float = math.inf,
) -> tuple[Findings, Clock, int]:
    """Findings with these answers of CloudWatch Logs; also the clock, and how often it was asked.

    The last answer is repeated.
    """
    clock, asked = Clock(patience_s), 0

    def answer(_method: str, _path: str) -> tuple[int, Any]:
        nonlocal asked
        asked += 1
        return answers[min(asked, len(answers)) - 1]

    profile = profile_of({"url": "https://example.com"}, aws={"metrics": False, "settle": "10s"})
    with canned_aws(answer) as session:
        findings = gather(
            np.array(rows, RECORD),
            step_infos(profile),
            limits or Limits((StepLimits(0),)),
            Resolved("https://example.com", TargetFacts(url="https://example.com"), api),
            session,
            profile,
            1_795_000_000.0,
            lambda _: None,
            waiting=clock.waiting,
        )
    return findings, clock, asked


def events(*lines: dict[str, str], more: str | None = None) -> tuple[int, dict[str, Any]]:
    return 200, {"events": list(lines)} | ({"nextToken": more} if more else {})


def test_late_lines_are_waited_for() -> None:
    rows = [record("a", THROTTLED, 429), record("b", BROKEN, 500)]

    findings, clock, _ = with_logs(
        rows,
        events(),
        events(),
        events(event("b", 500, of_lambda="429")),
        events(event("a", 429, "THROTTLED")),
    )

    assert kinds(findings) == [
        Kind(Outcome.THROTTLED, Cause.THROTTLE, Evidence.ACCESS_LOG),
        Kind(Outcome.THROTTLED, Cause.LAMBDA_CONCURRENCY, Evidence.ACCESS_LOG),
    ]
    assert findings.notes == ["access log: 2 of 2 requests looked up were found"]
    assert 0 < clock.now_s < 10


def test_waiting_ends_with_the_time_to_settle() -> None:
    findings, clock, _ = with_logs([record("a", THROTTLED, 429)], events())

    assert kinds(findings) == [THROTTLED]
    [note] = findings.notes
    assert note.startswith(
        "access log: 0 of 1 requests looked up were found; lines may come later than"
    )
    assert note.endswith("aws.settle, which is 10 s")
    assert clock.now_s == 10


def test_who_stops_does_not_wait_any_more() -> None:
    _, clock, _ = with_logs([record("a", THROTTLED, 429)], events(), patience_s=3)

    assert clock.now_s == 4


def test_all_pages_are_read() -> None:
    findings, clock, asked = with_logs(
        [record("a", BROKEN, 504)],
        events(event("x", 504), more="next"),
        events(more="next again"),
        events(event("a", 504, "INTEGRATION_TIMEOUT")),
    )

    assert kinds(findings)[0].cause == Cause.INTEGRATION_TIMEOUT
    assert (asked, clock.now_s) == (3, 0)


def test_pages_are_bounded() -> None:
    findings, _, asked = with_logs([record("a", BROKEN, 500)], events(more="next"))

    assert asked == 100
    [note] = findings.notes
    assert note.startswith("access log: 0 of 1 requests looked up were found; there was more to")


def test_nothing_is_asked_where_nothing_was_refused() -> None:
    findings, _, asked = with_logs([record("a", Kind(Outcome.OK), 200)], events())

    assert (asked, findings.notes) == (0, [])


def test_a_log_that_may_not_be_read_is_noted() -> None:
    denied = {"__type": "AccessDeniedException", "message": "no"}

    findings, _, _ = with_logs([record("a", THROTTLED, 429)], (400, denied))

    assert kinds(findings) == [THROTTLED]
    reason = "could not read log group /access: AccessDeniedException: no"
    assert findings.notes == [f"the access log could not be read: {reason}"]


@pytest.mark.parametrize(
    ("log", "note"),
    [
        pytest.param(None, "stage prod has no access log", id="none"),
        pytest.param(
            AccessLog(None, FORMAT), "the access log of stage prod goes to Firehose", id="Firehose"
        ),
        pytest.param(
            AccessLog("/access", "$context.status"),
            "the access log of stage prod has no $context.requestId",
            id="no id",
        ),
    ],
)
def test_a_log_that_cannot_help_is_noted(log: AccessLog | None, note: str) -> None:
    api = replace(API, settings=replace(STAGE, access_log=log))

    findings, _, asked = with_logs([record("a", THROTTLED, 429)], events(), api=api)

    assert (asked, findings.notes) == (0, [note])


def test_the_layer_comes_from_the_limits_where_the_log_only_says_throttled() -> None:
    rows = [record("a", Kind(Outcome.OK), 200), record("b", THROTTLED, 429, 0.1)]
    limits = Limits((StepLimits(0, "GET /products", (BUCKET,), complete=True),))

    findings, _, _ = with_logs(rows, events(event("b", 429, "THROTTLED")), limits=limits)

    assert kinds(findings)[1] == Kind(Outcome.THROTTLED, Cause.STAGE, Evidence.CONFIGURATION)


def test_a_429_of_the_application_is_none_of_the_gateway() -> None:
    rows = [record("a", Kind(Outcome.OK), 200), record("b", THROTTLED, 429, 0.1)]
    limits = Limits((StepLimits(0, "GET /products", (BUCKET,), complete=True),))

    findings, _, _ = with_logs(rows, events(event("b", 429, of_lambda="200")), limits=limits)

    assert kinds(findings)[1] == Kind(Outcome.THROTTLED, Cause.APPLICATION, Evidence.ACCESS_LOG)


def test_the_execution_log_names_usage_plans() -> None:
    api = replace(API, settings=replace(STAGE, logs_executions=True))
    limits = Limits((StepLimits(0, "GET /products", (PLAN_METHOD, BUCKET), complete=True),))
    where = "for Usage Plan ID p1, Stage prod, Resource /products, HttpMethod GET."
    lines = [
        {"message": f"(a) Key throttle limit exceeded {where} Limit: 2.00 Burst: 3"},
        {"message": f"(b) Key throttle limit exceeded {where} Limit: 9.00 Burst: 5"},
        {"message": f"(c) Key quota exhausted {where} Limit: 200 Period: DAY"},
    ]
    rows = [record(request_id, THROTTLED, 429) for request_id in "abcd"]

    findings, _, _ = with_logs(
        rows, events(*lines), events(event("d", 429, "THROTTLED")), api=api, limits=limits
    )

    assert [kind.cause for kind in kinds(findings)[:3]] == [
        Cause.USAGE_PLAN_METHOD,
        Cause.USAGE_PLAN,
        Cause.QUOTA,
    ]
    assert all(kind.evidence == Evidence.ACCESS_LOG for kind in kinds(findings)[:3])


@pytest.mark.parametrize(
    ("status", "by", "takes_it", "changed"),
    [
        pytest.param(403, "WIRE", False, True, id="no route"),
        pytest.param(404, "NONE", False, True, id="no route of an HTTP API"),
        pytest.param(403, "WIRE", True, False, id="a route"),
        pytest.param(403, "RULE", False, False, id="a rule has decided"),
        pytest.param(400, "NONE", False, False, id="another status"),
    ],
)
def test_where_no_route_is_nobody_was_turned_away(
    status: int, by: str, *, takes_it: bool, changed: bool
) -> None:
    cause = Cause.AUTHORIZER if by == "WIRE" else Cause.NONE
    before = Kind(Outcome.CLIENT_ERROR, cause, Evidence[by])
    limits = Limits((StepLimits(0, no_route=not takes_it),))

    findings, _, _ = with_logs([record("a", before, status)], events(), limits=limits)

    without = Kind(Outcome.CLIENT_ERROR, Cause.UNKNOWN, Evidence.CONFIGURATION)
    assert kinds(findings) == [without if changed else before]


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        pytest.param({"output": {"records": False}}, "output.records is off", id="no records"),
        pytest.param({"aws": {"discover": False}}, "aws.discover is off", id="no reading"),
    ],
)
def test_what_was_not_asked_is_said(parts: dict[str, Any], why: str) -> None:
    note = not_asked(profile_of({"url": "https://example.com"}, **parts))

    assert note is not None
    assert note.startswith("causes are as the responses tell them: ")
    assert why in note
    assert not_asked(profile_of({"url": "https://example.com"})) is None


def test_without_aws_the_wire_stands() -> None:
    profile = profile_of({"url": "https://example.com"})
    rows = np.array([record("a", THROTTLED, 429)], RECORD)

    findings = gather(
        rows,
        step_infos(profile),
        Limits((StepLimits(0),)),
        resolve(profile, None),
        None,
        profile,
        0.0,
        lambda _: None,
    )

    assert kinds(findings) == [THROTTLED]
    assert findings.notes == []


# -- parts ----------------------------------------------------------------------------------------

FORBIDDEN = wire_kind(403)


@pytest.mark.parametrize(
    ("before", "why", "of_lambda", "outcome", "cause"),
    [
        pytest.param(THROTTLED, "THROTTLED", None, "THROTTLED", "THROTTLE", id="throttle"),
        pytest.param(THROTTLED, "QUOTA_EXCEEDED", None, "THROTTLED", "QUOTA", id="quota"),
        pytest.param(FORBIDDEN, "WAF_FILTERED", None, "CLIENT_ERROR", "WAF", id="WAF"),
        pytest.param(FORBIDDEN, "INVALID_API_KEY", None, "CLIENT_ERROR", "AUTHORIZER", id="key"),
        pytest.param(
            BROKEN, None, 429, "THROTTLED", "LAMBDA_CONCURRENCY", id="Lambda refused, HTTP API"
        ),
        pytest.param(
            BROKEN,
            "INTEGRATION_FAILURE",
            429,
            "THROTTLED",
            "LAMBDA_CONCURRENCY",
            id="Lambda refused, REST API",
        ),
        pytest.param(
            BROKEN,
            "INTEGRATION_TIMEOUT",
            None,
            "SERVER_ERROR",
            "INTEGRATION_TIMEOUT",
            id="timeout",
        ),
        pytest.param(BROKEN, None, 200, "SERVER_ERROR", "APPLICATION", id="the function's error"),
        pytest.param(
            BROKEN, "DEFAULT_5XX", 200, "SERVER_ERROR", "APPLICATION", id="an exception, REST API"
        ),
        pytest.param(
            wire_kind(502), "BAD_GATEWAY", 200, "SERVER_ERROR", "APPLICATION", id="no response"
        ),
        pytest.param(THROTTLED, None, 429, "THROTTLED", "APPLICATION", id="a backend's 429"),
    ],
)
def test_a_line_of_the_access_log_says_who_it_was(
    before: Kind, why: str | None, of_lambda: int | None, outcome: str, cause: str
) -> None:
    found = kind_by_line(AccessLine("a", 500, why, of_lambda), before)

    assert found == Kind(Outcome[outcome], Cause[cause], Evidence.ACCESS_LOG)


@pytest.mark.parametrize(
    ("before", "why", "of_lambda"),
    [
        pytest.param(THROTTLED, None, None, id="a line that says nothing"),
        pytest.param(BROKEN, "DEFAULT_5XX", None, id="an unknown type"),
        pytest.param(BROKEN, None, 403, id="Lambda may not be called"),
    ],
)
def test_a_line_that_adds_nothing_changes_nothing(
    before: Kind, why: str | None, of_lambda: int | None
) -> None:
    assert kind_by_line(AccessLine("a", 500, why, of_lambda), before) == before


def test_requests_reach_the_gateway_after_half_of_what_a_refusal_takes() -> None:
    records = np.zeros(4, RECORD)
    records["start_us"] = [0, 100_000, 200_000, 300_000]
    records["service_us"] = [2_000, 2_000, 50_000, 12_000]
    records["connect_us"] = [0, 0, 0, 8_000]
    records["tls_us"] = [0, 0, 0, 2_000]
    refused = np.array([True, True, False, False])

    arrival_s, jitter_s = arrivals(records, refused)

    assert arrival_s.tolist() == [0.001, 0.101, 0.201, 0.311]
    assert jitter_s == 0.0005
