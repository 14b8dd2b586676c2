"""Which messages a filter pattern selects."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.logs_api.filter_pattern import PatternError, compile_pattern

EVENT = json.dumps(
    {
        "status": 429,
        "text": "429",
        "latency": 12.5,
        "path": "/orders/1",
        "ok": True,
        "none": None,
        "nested": {"list": [{"a": 1}, {"a": 2}], "odd key": "x"},
        "flag": False,
    }
)


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR here", True),
        ("ERROR", "an error here", False),
        ("ERROR timeout", "timeout, then ERROR", True),
        ("ERROR timeout", "ERROR", False),
        ('"two words"', "of two words", True),
        ('"two words"', "two other words", False),
        (r'"say \"hi\""', 'to say "hi"', True),
        ("?ERROR ?WARN", "a WARN", True),
        ("?ERROR ?WARN", "an INFO", False),
        ('?"E R" ?WARN', "an E R", True),
        ("ERROR -timeout", "ERROR: disk", True),
        ("ERROR -timeout", "ERROR: timeout", False),
        ("-timeout", "fine", True),
        ("ERROR ?WARN", "a WARN", False),
        ("%ERR.R [0-9]+%", "ERROR 17", True),
        ("%ERR.R [0-9]+%", "ERROR x", False),
    ],
)
def test_terms(pattern: str, message: str, expected: bool) -> None:  # noqa: FBT001
    assert compile_pattern(pattern)(message) is expected


@pytest.mark.parametrize(
    "condition",
    [
        "$.status = 429",
        "$.status != 200",
        "$.status >= 429",
        "$.status > 4.28e2",
        "$.latency < 13",
        "$.latency <= 12.5",
        "$.text = 429",
        '$.text = "429"',
        '$.path = "/orders*"',
        '$.path = "*1"',
        "$.path = /orders/1",
        "$.path = %orders/[0-9]%",
        '$.path != "/other*"',
        "$.ok IS TRUE",
        "$.flag IS FALSE",
        "$.none IS NULL",
        "$.other NOT EXISTS",
        "$.none EXISTS",
        "$.nested.list[1].a = 2",
        "$.nested['odd key'] = x",
        '$.status = 429 && $.path = "/orders*"',
        "$.status = 1 || $.ok IS TRUE",
        "$.status = 429 || $.status = 1 && $.status = 2",
        "($.status = 429 || $.status = 1) && ($.ok IS TRUE)",
    ],
)
def test_selectors_that_match(condition: str) -> None:
    assert compile_pattern(f"{{ {condition} }}")(EVENT)
    assert not compile_pattern(f"{{ {condition} }}")("no JSON")


@pytest.mark.parametrize(
    "condition",
    [
        "$.status = 428",
        "$.status != 429",
        "$.status > 429",
        "$.ok = 1",
        "$.text > 1",
        '$.path = "/orders"',
        '$.missing != "x"',
        "$.missing IS NULL",
        "$.status NOT EXISTS",
        "$.nested.list[2].a = 2",
        "$.nested = x",
        "$.status = 429 && $.ok IS FALSE",
        "($.status = 429 || $.status = 1) && $.status = 2",
    ],
)
def test_selectors_that_do_not_match(condition: str) -> None:
    assert not compile_pattern(f"{{ {condition} }}")(EVENT)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("[ip, user]", "space-delimited"),
        ("a-b", "double quotes"),
        ('"open', "double quotes"),
        ("%(%", "not a regular expression"),
        ("{ $.a }", "expected a comparison"),
        ("{ $.a = }", "expected a value"),
        ("{ $.a > x }", "expected a number"),
        ("{ $.a = 1", "expected }"),
        ("{ $.a = 1 } x", "expected nothing"),
        ("{ a = 1 }", "expected a selector"),
        ("{ $.a IS BLUE }", "not understood"),
        ("{ $.a[*] = 1 }", "not understood"),
        ("{ $.a = %(% }", "not a regular expression"),
        ("{" + "(" * 60 + "$.a = 1" + ")" * 60 + "}", "nested too deeply"),
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=reason):
        compile_pattern(pattern)


_WORDS = '{ } $.a $.b[0] = != < && || ( ) 1 "x*" IS NULL NOT EXISTS %a% % word - ? " \\ ['
_PIECES = st.sampled_from([*_WORDS.split(), " "])


@given(st.one_of(st.text(max_size=40), st.lists(_PIECES, max_size=15).map(" ".join)))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    with contextlib.suppress(PatternError):
        assert compile_pattern(text)('{"a": 1, "b": [2]}') in (True, False)
        assert compile_pattern(text)(text) in (True, False)
