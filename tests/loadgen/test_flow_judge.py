"""What a step makes of an answer: checks, captures, and when a flow has to end."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from loadgen.answer import Answer
from loadgen.flow.compile import Session
from loadgen.flow.judge import parse_capture, same_json
from loadgen.outcome import OK, Cause, Evidence, Kind, Outcome
from tests.loadgen.flow_rig import answer, flows, profile, session, step, steps_of

CHECK_FAILED = Kind(Outcome.CHECK_FAILED)


def judged(
    one: Answer, scope: Session | None = None, *, outcomes: object = (), **keys: Any
) -> Kind:
    made = step({"get": "/", **keys}, outcomes=outcomes)
    return Kind.of(made.judge(one, scope or session()))


BODY = {"id": 7, "ok": True, "name": "Lamp", "none": None, "items": [{"id": "a"}]}


@pytest.mark.parametrize(
    ("checks", "holds"),
    [
        pytest.param({"status": [200]}, True, id="status"),
        pytest.param({"status": [201, 202]}, False, id="another-status"),
        pytest.param({"headers": {"content-type": "^application/json"}}, True, id="header"),
        pytest.param({"headers": {"Content-Type": "text"}}, False, id="another-header-value"),
        pytest.param({"headers": {"x-absent": ".*"}}, False, id="no-such-header"),
        pytest.param({"json": {"$.id": 7}}, True, id="json"),
        pytest.param({"json": {"id": 7.0}}, True, id="number-as-number"),
        pytest.param({"json": {"id": True}}, False, id="seven-is-not-true"),
        pytest.param({"json": {"id": "7"}}, False, id="seven-is-no-text"),
        pytest.param({"json": {"ok": True}}, True, id="true"),
        pytest.param({"json": {"ok": 1}}, False, id="true-is-not-one"),
        pytest.param({"json": {"name": "Lamp", "items[0].id": "a"}}, True, id="both"),
        pytest.param({"json": {"name": "Lamp", "items[0].id": "b"}}, False, id="one-of-both"),
        pytest.param({"json": {"items": [{"id": "a"}]}}, True, id="nested"),
        pytest.param({"json": {"length(items)": 1}}, True, id="jmespath"),
        pytest.param({"json": {"none": None, "absent": None}}, True, id="null-or-absent"),
        pytest.param({"json": {"$": dict(BODY)}}, True, id="whole-body"),
        pytest.param({"body": {"contains": '"Lamp"'}}, True, id="contains"),
        pytest.param({"body": {"contains": "Chair"}}, False, id="contains-not"),
        pytest.param({"body": {"matches": r'"id": \d+,'}}, True, id="matches"),
        pytest.param({"body": {"matches": r"^\d"}}, False, id="matches-not"),
        pytest.param({"latency": "5ms"}, True, id="quick-enough"),
        pytest.param({"latency": "4.9ms"}, False, id="too-slow"),
        pytest.param({"status": [200], "latency": "1s", "json": {"id": 8}}, False, id="all"),
    ],
)
def test_a_check_that_does_not_hold_fails_what_was_ok(
    checks: dict[str, Any], *, holds: bool
) -> None:
    one = answer(200, BODY, [("Content-Type", "application/json")])
    assert judged(one, checks=checks) == (OK if holds else CHECK_FAILED)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe"], ids=repr)
def test_a_body_that_is_no_json_fails_checks_of_json(body: bytes) -> None:
    assert judged(answer(200, body), checks={"json": {"id": None}}) == CHECK_FAILED


@pytest.mark.parametrize(
    ("expected", "holds"),
    [
        ("${vars.id}", True),
        ("${id}", True),
        ("${text}", True),
        ("${other}", False),
        ("${absent}", False),
        ("7", False),
    ],
)
def test_expected_values_can_be_templates(expected: str, *, holds: bool) -> None:
    scope = session({"id": 7, "text": "7", "other": "8"})
    steps = [{"get": "/", "checks": {"json": {"id": expected}}}]
    (flow,) = flows(profile(steps, vars={"id": 7}))
    kind = Kind.of(steps_of(flow)[0].judge(answer(200, BODY), scope))
    assert kind == (OK if holds else CHECK_FAILED)


@pytest.mark.parametrize(("name", "holds"), [("Lamp", True), ("Chair", False), (None, False)])
def test_contained_texts_can_be_templates(name: str | None, *, holds: bool) -> None:
    scope = session({} if name is None else {"name": name})
    kind = judged(answer(200, BODY), scope, checks={"body": {"contains": '"${name}"'}})
    assert kind == (OK if holds else CHECK_FAILED)


@pytest.mark.parametrize(
    ("status", "cause", "outcome"),
    [
        (429, Cause.NONE, Outcome.THROTTLED),
        (404, Cause.NONE, Outcome.CLIENT_ERROR),
        (500, Cause.NONE, Outcome.SERVER_ERROR),
        (200, Cause.CLOSED_EARLY, Outcome.CONNECTION_ERROR),
        (0, Cause.RESPONSE_TIMEOUT, Outcome.TIMEOUT),
    ],
)
def test_checks_make_nothing_of_what_is_not_ok(status: int, cause: Cause, outcome: Outcome) -> None:
    kind = judged(answer(status, cause=cause), checks={"status": [201], "json": {"a": 1}})
    assert kind.outcome is outcome


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, OK),
        (503, OK),
        (429, Kind(Outcome.THROTTLED, Cause.UNKNOWN, Evidence.WIRE)),
        (200, CHECK_FAILED),
        (410, Kind(Outcome.CLIENT_ERROR)),
    ],
)
def test_an_error_that_is_expected_is_ok_but_a_throttle_stays(status: int, kind: Kind) -> None:
    assert judged(answer(status), checks={"status": [404, 429, 503]}) == kind


def test_an_expected_error_is_checked_further() -> None:
    checks = {"status": [404], "body": {"contains": "gone"}}
    assert judged(answer(404, b"gone"), checks=checks) == OK
    assert judged(answer(404, b"here"), checks=checks) == CHECK_FAILED


def test_a_rule_outranks_the_expected_status() -> None:
    ruled = [{"when": {"status": [404]}, "outcome": "server_error"}]
    kind = judged(answer(404), checks={"status": [404]}, outcomes=ruled)
    assert kind == Kind(Outcome.SERVER_ERROR, Cause.NONE, Evidence.RULE)
    accepted = [{"when": {"status": [429]}, "outcome": "ok"}]
    assert judged(answer(429), checks={"status": [429]}, outcomes=accepted) == OK


def test_an_answer_that_did_not_come_whole_is_not_expected() -> None:
    kind = judged(answer(404, cause=Cause.CLOSED_EARLY), checks={"status": [404]})
    assert kind.outcome is Outcome.CONNECTION_ERROR


# -- reasons ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"checks": {"status": [201, 202]}}, ("checks.status", "201 or 202", "200")),
        (
            {"checks": {"headers": {"content-type": "^text"}}},
            ("checks.headers.content-type", "^text", "application/json"),
        ),
        ({"checks": {"headers": {"x-a": "."}}}, ("checks.headers.x-a", ".", "no such header")),
        (
            {"checks": {"headers": {"Set-Cookie": "^b"}}},
            ("checks.headers.Set-Cookie", "^b", "<hidden>"),
        ),
        ({"checks": {"json": {"$.name": "Chair"}}}, ("checks.json.$.name", "Chair", "Lamp")),
        ({"checks": {"json": {"absent": 1}}}, ("checks.json.absent", "1", "nothing")),
        ({"checks": {"json": {"id": None}}}, ("checks.json.id", "nothing", "7")),
        ({"checks": {"json": {"id": "7"}}}, ("checks.json.id", '"7"', "7")),
        ({"checks": {"json": {"items": []}}}, ("checks.json.items", "[]", '[{"id":"a"}]')),
        ({"checks": {"json": {"name": "${id}"}}}, ("checks.json.name", "${id}", "Lamp")),
        (
            {"checks": {"json": {"name": "${absent}"}}},
            ("checks.json.name", "${absent}", "no value to compare with"),
        ),
        ({"checks": {"json": {"token": "x"}}}, ("checks.json.token", "<hidden>", "<hidden>")),
        ({"checks": {"json": {"token.a": "x"}}}, ("checks.json.token.a", "<hidden>", "nothing")),
        (
            {"checks": {"body": {"contains": "Chair"}}},
            ("checks.body.contains", "Chair", "a body without it"),
        ),
        (
            {"checks": {"body": {"contains": "<${id}>"}}},
            ("checks.body.contains", "<${id}>", "a body without it"),
        ),
        (
            {"checks": {"body": {"contains": "${absent}"}}},
            ("checks.body.contains", "${absent}", "no value to compare with"),
        ),
        (
            {"checks": {"body": {"matches": "C.*r"}}},
            ("checks.body.matches", "C.*r", "a body without it"),
        ),
        ({"checks": {"latency": "4ms"}}, ("checks.latency", "at most 4 ms", "more")),
        ({"capture": {"x": "$.absent"}}, ("capture x", None, "nothing found")),
        (
            {"capture": {"x": "$.absent"}, "checks": {"json": {"id": 8}}},
            ("capture x", None, "nothing found"),
        ),
    ],
)
def test_a_failed_check_has_a_reason(keys: dict[str, Any], said: tuple[str, ...]) -> None:
    scope = session({"id": 7})
    headers = [("Content-Type", "application/json"), ("Set-Cookie", "a=1")]
    assert judged(answer(200, BODY | {"token": "t0"}, headers), scope, **keys) == CHECK_FAILED
    assert scope.reason == said


def test_a_body_that_is_no_json_is_the_reason() -> None:
    scope = session()
    judged(answer(200, b"<html>"), scope, checks={"json": {"id": 7}})
    assert scope.reason == ("checks.json.id", "7", "a body that is no JSON")


# -- captures ---------------------------------------------------------------------------------

CAPTURED = answer(200, BODY, [("ETag", '"x"'), ("Location", "/items/9")])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$.id", 7),
        ("json: id", 7),
        ("json:items[0].id", "a"),
        ("json: $.items", [{"id": "a"}]),
        ("$", BODY),
        ("header: ETag", '"x"'),
        ("header.etag", '"x"'),
        ("header:location", "/items/9"),
        (r'body: "name": "(\w+)"', "Lamp"),
        (r"body: L\w+p", "Lamp"),
        ("json: none", None),
        ("json: absent", None),
        ("header: x-absent", None),
        ("body: Chair", None),
        (r"body: (Chair)|Lamp", None),
    ],
)
def test_a_capture_takes_what_is_there(text: str, found: object) -> None:
    assert parse_capture(text)(CAPTURED) == found
    scope = session()
    kind = judged(CAPTURED, scope, capture={"x": text})
    assert scope.captured == ({} if found is None else {"x": found})
    assert kind == (CHECK_FAILED if found is None else OK)
    assert scope.failed is (found is None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id", "must be json: PATH, header: NAME, body: REGEX or $.PATH (got 'id')"),
        ("", "must be json: PATH"),
        ("json:", "must be json: PATH"),
        ("header.", "must be json: PATH"),
        ("cookie: a", "must be json: PATH"),
        ("json: a b", "is no JMESPath: "),
        ("$..id", "is no JMESPath: "),
        ("body: (", "is no regular expression: missing ), unterminated subpattern"),
    ],
)
def test_a_capture_that_says_nothing_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        parse_capture(text)
    with pytest.raises(InputError, match=re.escape(f"step 'GET /': capture.x: {words}")):
        step({"get": "/", "capture": {"x": text}})


@pytest.mark.parametrize("name", ["uuid", "vars", "data", "env", "a.b", "", "1a", "a b"])
def test_a_capture_needs_a_name_that_templates_can_say(name: str) -> None:
    with pytest.raises(InputError, match="a capture cannot have this name"):
        step({"get": "/", "capture": {name: "$.id"}})


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        ({"headers": {"x": "("}}, "checks.headers.x: is no regular expression: missing )"),
        ({"body": {"matches": "["}}, "checks.body.matches: is no regular expression: "),
        ({"body": {"contains": "${"}}, "checks.body.contains: character 1: ${ has no }"),
        ({"json": {"a b": 1}}, "checks.json.a b: is no JMESPath: "),
        ({"json": {"a": "${"}}, "checks.json.a: character 1: ${ has no }"),
    ],
)
def test_checks_that_cannot_be_made_are_refused(checks: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"step 'GET /': {words}")):
        step({"get": "/", "checks": checks})


LATER = {
    "path": {"get": "/${id}"},
    "header": {"get": "/", "headers": {"X-A": "${id}"}},
    "query": {"get": "/", "query": {"a": ["${id}"]}},
    "json": {"post": "/", "json": {"a": [{"b": "no ${id}"}]}},
    "form": {"post": "/", "form": {"a": "${id}"}},
    "body": {"post": "/", "body": "<${id}>"},
    "check": {"get": "/", "checks": {"json": {"id": "${id}"}}},
}


@pytest.mark.parametrize("later", LATER.values(), ids=LATER)
@pytest.mark.parametrize(
    "one",
    [answer(429), answer(500), answer(0, cause=Cause.RESET), answer(200, cause=Cause.CLOSED_EARLY)],
    ids=["throttled", "error", "reset", "half"],
)
def test_a_flow_ends_when_a_later_step_lacks_its_data(later: dict[str, Any], one: Answer) -> None:
    steps = [{"post": "/", "capture": {"id": "$.id"}}, {"think": 1}, {"get": "/a"}, later]
    (flow,) = flows(profile(steps))
    scope = session()
    outcome = Kind.of(steps_of(flow)[0].judge(one, scope)).outcome
    assert outcome not in (Outcome.OK, Outcome.CHECK_FAILED)
    assert scope.failed


def test_a_flow_goes_on_when_nobody_needs_what_is_missing() -> None:
    steps = [{"get": "/${id}", "capture": {"id": "$.id", "x": "$.x"}}, {"get": "/${x}"}]
    (flow,) = flows(profile(steps))
    scope = session({"x": 1})
    steps_of(flow)[0].judge(answer(500, {"x": 5}), scope)
    assert scope.captured["x"] == 5, "an error can have what is needed"
    assert not scope.failed, "id is needed by the same step alone, which has been sent"


def test_a_step_without_checks_and_captures_never_ends_a_flow() -> None:
    (flow,) = flows(profile([{"get": "/"}, {"get": "/2"}]))
    scope = session()
    for one in (answer(429), answer(500), answer(0, cause=Cause.RESET)):
        steps_of(flow)[0].judge(one, scope)
    assert not scope.failed


def test_a_check_can_use_what_the_same_step_captured() -> None:
    one = answer(200, {"id": 7, "self": "/items/7"})
    found = judged(one, checks={"json": {"self": "/items/${id}"}}, capture={"id": "$.id"})
    assert found == OK


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
)


@given(JSON, JSON)
def test_values_are_the_same_as_their_json_is(one: Any, other: Any) -> None:
    texts = [json.dumps(value, sort_keys=True) for value in (one, other)]
    assert same_json(one, other) is (texts[0] == texts[1])
    assert same_json(one, one)
