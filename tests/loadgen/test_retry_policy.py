"""Modelled clients decide as botocore does: its own classes are the truth here."""

from __future__ import annotations

import random
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import HeadersDict
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import create_parser
from botocore.retries import adaptive, bucket, standard, throttling
from botocore.retries.quota import RetryQuota as BotocoreQuota
from hypothesis import given
from hypothesis import strategies as st

from loadgen.answer import Answer
from loadgen.outcome import Cause
from loadgen.profile.model import Profile
from loadgen.retry.client import Ending, ModelledClient, Operation, RetryQuota
from loadgen.retry.limiter import RateLimiter
from loadgen.retry.policy import Fault, Policy, fleets_of, most_attempts, policy_of
from tests.loadgen import flow_rig

# An operation of a service that models no errors, and that botocore has no special rules for.
OPERATION = SimpleNamespace(
    name="Get", error_shapes=[], service_model=SimpleNamespace(service_name="shop")
)


def profile_with(for_all: object, **scenario: object) -> Profile:
    flow = {"name": "flow", "flow": [{"get": "/x"}], **scenario}
    return flow_rig.profile([], scenarios=[flow], retry=for_all)


def policy(**settings: object) -> Policy:
    made = profile_with(settings)
    found = policy_of(made, made.scenarios[0])
    assert found is not None
    return found


def context_of(answer: Answer, attempt: int = 1) -> standard.RetryContext:
    """What botocore's endpoint hands to its retry handlers for such an answer."""
    if answer.cause:
        error = {
            Cause.RESPONSE_TIMEOUT: ReadTimeoutError(endpoint_url="http://x"),
            Cause.CONNECT_TIMEOUT: ConnectTimeoutError(endpoint_url="http://x"),
            Cause.TLS: SSLError(endpoint_url="http://x", error="no"),
        }.get(Cause(answer.cause), EndpointConnectionError(endpoint_url="http://x"))
        return standard.RetryContext(attempt, OPERATION, caught_exception=error)
    headers = HeadersDict(answer.headers())
    response = {"status_code": answer.status, "headers": headers, "body": answer.content()}
    parsed = create_parser("rest-json").parse(response, None)
    http = SimpleNamespace(status_code=answer.status, headers=headers)
    return standard.RetryContext(attempt, OPERATION, parsed, http)


def broken(cause: Cause) -> Answer:
    return Answer(0, b"", b"", cause, 1, 0, 2, 0, 0, 0)


ANSWERS = {
    "ok": flow_rig.answer(200, {}),
    "created": flow_rig.answer(201, {}),
    "redirect": flow_rig.answer(302, {}),
    "client error": flow_rig.answer(400, {"message": "no"}),
    "forbidden": flow_rig.answer(403, {"message": "Forbidden"}),
    "throttle of the gateway": flow_rig.answer(429, {"message": "Too Many Requests"}),
    "quota of the gateway": flow_rig.answer(
        429, {"message": "Limit Exceeded"}, [("x-amzn-ErrorType", "LimitExceededException")]
    ),
    "throttle by its code": flow_rig.answer(
        400, {"message": "x"}, [("x-amzn-errortype", "ThrottlingException:http://internal/")]
    ),
    "throttle by the code of the body": flow_rig.answer(400, {"code": "aws#SlowDown"}),
    "throttle by the type of the body": flow_rig.answer(400, {"__type": "a.b#Throttling"}),
    "throttle with a status of servers": flow_rig.answer(503, {"Code": "SlowDown"}),
    "request timeout": flow_rig.answer(400, {"__type": "RequestTimeout"}),
    "internal error": flow_rig.answer(500, {"message": "Internal server error"}),
    "not implemented": flow_rig.answer(501, {}),
    "bad gateway": flow_rig.answer(502, {"message": "Internal server error"}),
    "unavailable": flow_rig.answer(503, {"message": "Service Unavailable"}),
    "gateway timeout": flow_rig.answer(504, {"message": "Endpoint request timed out"}),
    "response timeout": broken(Cause.RESPONSE_TIMEOUT),
    "connect timeout": broken(Cause.CONNECT_TIMEOUT),
    "refused": broken(Cause.REFUSED),
    "closed early": broken(Cause.CLOSED_EARLY),
    "tls": broken(Cause.TLS),
}
BY_NAME = pytest.mark.parametrize("name", ANSWERS)


@BY_NAME
def test_what_is_sent_again_and_what_is_a_throttle_are_botocores(name: str) -> None:
    answer = ANSWERS[name]
    context = context_of(answer)
    detector = standard.ThrottlingErrorDetector(standard.RetryEventAdapter())

    fault = policy().fault(answer)

    assert (fault is not Fault.NONE) == standard.StandardRetryConditions(3).is_retryable(context)
    assert (fault is Fault.THROTTLE) == detector.is_throttling_error_from_context(context)


@BY_NAME
def test_backoffs_are_botocores(name: str) -> None:
    detector = standard.ThrottlingErrorDetector(standard.RetryEventAdapter())
    theirs = standard.ExponentialBackoff(random=lambda: 0.37, throttling_detector=detector)
    ours = policy()

    for asked in (None, "0", "700", "90000", "-5", "soon"):
        answer = ANSWERS[name]
        if answer.status and asked is not None:
            headers = [*answer.headers(), ("X-Amz-Retry-After", asked)]
            answer = flow_rig.answer(answer.status, answer.content(), headers)
        for attempt in (1, 2, 7):
            asked_s = ours.retry_after_s(answer)
            wait_s = ours.backoff_s(attempt, ours.fault(answer), 0.37, asked_s)

            expected_s = theirs.delay_amount(context_of(answer, attempt))
            assert wait_s == pytest.approx(expected_s, abs=1e-12), (asked, attempt)


@pytest.mark.parametrize(
    ("settings", "header", "expected_s"),
    [
        ({}, ("retry-after", "3"), 1.0),
        ({"retry_after": "any"}, ("retry-after", "3"), 3.0),
        ({"retry_after": "any"}, ("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"), 1.0),
        ({"retry_after": "none"}, ("x-amz-retry-after", "3000"), 1.0),
        ({"cap": "400ms", "throttle_base": "200ms"}, ("x", "y"), 0.2),
    ],
    ids=["aws alone", "any", "a date is not looked at", "none", "own base"],
)
def test_what_a_header_asks_for_is_looked_at_as_the_profile_says(
    settings: dict[str, object], header: tuple[str, str], expected_s: float
) -> None:
    ours, answer = policy(jitter="none", **settings), flow_rig.answer(429, {}, [header])

    assert ours.backoff_s(1, Fault.THROTTLE, 0.5, ours.retry_after_s(answer)) == expected_s


def test_own_statuses_take_the_place_of_the_sdks() -> None:
    ours = policy(statuses=[409], throttle_statuses=[420])
    faults = [ours.fault(flow_rig.answer(status, {})) for status in (409, 420, 429, 503)]

    assert faults == [Fault.TRANSIENT, Fault.THROTTLE, Fault.NONE, Fault.NONE]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([1, 5, 14])), max_size=300))
def test_the_retry_quota_is_botocores(steps: list[tuple[bool, int]]) -> None:
    ours, theirs = RetryQuota(60), BotocoreQuota(60)

    for takes, tokens in steps:
        if takes:
            assert ours.take(tokens) == theirs.acquire(tokens)
        else:
            ours.give_back(tokens)
            theirs.release(tokens)
        assert ours.tokens == theirs.available_capacity


class Clock(bucket.Clock):
    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def current_time(self) -> float:
        return self.now_s


@given(
    st.floats(0, 1e5),
    st.lists(st.tuples(st.floats(0, 0.4), st.sampled_from("sssat")), max_size=300),
)
def test_the_rate_limiter_is_botocores(begin_s: float, steps: list[tuple[float, str]]) -> None:
    clock = Clock(begin_s)
    tokens = bucket.TokenBucket(max_rate=1, clock=clock)
    detector: Any = SimpleNamespace(is_throttling_error=lambda is_throttle: is_throttle)
    theirs = adaptive.ClientRateLimiter(
        rate_adjustor=throttling.CubicCalculator(0, start_time=clock.now_s),
        rate_clocker=adaptive.RateClocker(clock),
        token_bucket=tokens,
        throttling_detector=detector,
        clock=clock,
    )
    ours = RateLimiter(begin_s)

    for passed_s, what in steps:
        clock.now_s += passed_s
        if what == "a":  # asks for a token, and does not wait where there is none
            try:
                free = not theirs._enabled or tokens.acquire(block=False)
            except bucket.CapacityNotAvailableError:
                free = False
            wait_s = ours.take(clock.now_s)
            assert (wait_s == 0) == free
            if not free:
                assert wait_s == pytest.approx(tokens._sleep_amount(1))
        else:
            theirs.on_receiving_response(is_throttle=what == "t")
            ours.answered(clock.now_s, is_throttle=what == "t")
        assert ours.is_on == theirs._enabled
        assert ours.bucket.rate_rps == pytest.approx(tokens.max_rate, rel=1e-9)


@given(st.lists(st.sampled_from(sorted(ANSWERS)), max_size=200), st.integers(0, 60))
def test_a_client_gives_up_where_botocores_handler_does(names: list[str], tokens: int) -> None:
    """Operations one after the other, each with the answers that come next in the list."""
    rng = random.Random(1)
    ours = ModelledClient(policy(quota=tokens), rng, 0.0)
    detector = standard.ThrottlingErrorDetector(standard.RetryEventAdapter())
    checker = standard.RetryQuotaChecker(BotocoreQuota(tokens), detector)
    conditions = standard.StandardRetryConditions(3)
    answers = iter(ANSWERS[name] for name in names)

    for answer in answers:
        operation, request_context, attempt = Operation(), dict[str, Any](), 1
        one: Answer | None = answer
        while one is not None:
            context = context_of(one, attempt)
            context.request_context = request_context
            again = conditions.is_retryable(context) and checker.acquire_retry_quota(context)
            after = ours.answered(operation, one, 0.0)
            assert (after.ending is None) == again
            if not again:
                checker.release_retry_quota(request_context, context.http_response)
                break
            attempt += 1
            one = next(answers, None)


def test_the_last_answer_says_why_a_client_gives_up() -> None:
    client = ModelledClient(policy(max_attempts=2, quota=7), random.Random(1), 0.0)
    refused, first, second = flow_rig.answer(429, {}), Operation(), Operation()

    endings = [
        client.answered(operation, answer, 0.0).ending
        for operation, answer in (
            (first, refused),
            (first, refused),
            (second, refused),
            (Operation(), flow_rig.answer(404, {})),
        )
    ]

    assert endings == [None, Ending.ATTEMPTS, Ending.QUOTA, Ending.ANSWERED]


def test_clients_are_modelled_where_somebody_asks_for_them() -> None:
    plain = flow_rig.profile([{"get": "/x"}])
    whole, one = profile_with("standard", retry="none"), profile_with(None, retry="adaptive")

    assert policy_of(plain, plain.scenarios[0]) is None
    assert policy_of(whole, whole.scenarios[0]) == replace(policy(), mode="none", max_attempts=1)
    assert [most_attempts(profile) for profile in (plain, whole, one)] == [1, 1, 3]


@pytest.mark.parametrize(
    ("clients", "injectors", "expected"),
    [(None, 2, [1, 1]), (5, 2, [3, 2]), (1, 2, [1, 1])],
    ids=["one each", "a fleet", "fewer than injectors"],
)
def test_a_fleet_is_split_between_injectors(
    clients: int | None, injectors: int, expected: list[int]
) -> None:
    settings = {} if clients is None else {"clients": clients}
    made = profile_with(settings)

    found = [fleets_of(made, number, injectors)["flow"].clients for number in range(injectors)]

    assert found == expected
