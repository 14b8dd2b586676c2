"""Templates: what they parse, what they refuse, and what comes out."""

from __future__ import annotations

import contextlib
import re
import time
import uuid
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from loadgen.flow.template import RenderError, Template, escape, text_of
from tests.loadgen.flow_rig import session


def rendered(text: str, **captured: JsonValue) -> str:
    return Template.parse(text).render(session(captured))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", ""),
        ("plain", "plain"),
        ("costs 5$, {not} $one}", "costs 5$, {not} $one}"),
        ("a$", "a$"),
        ("$$", "$"),
        ("$$$$", "$$"),
        ("$${x}", "${x}"),
        ("$$${x}", "$1"),
        ("${x}", "1"),
        ("${ x }${x}-${x}", "11-1"),
        ("ü${x}ß", "ü1ß"),
        ("${injector}/${iteration}", "2/7"),
    ],
)
def test_inserts_are_filled_in_and_the_rest_stays(text: str, result: str) -> None:
    assert rendered(text, x=1) == result


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        (5, "5"),
        (2.5, "2.5"),
        (True, "true"),
        (None, ""),
        ([1, "a"], '[1,"a"]'),
        ({"a": None}, '{"a":null}'),
    ],
    ids=repr,
)
def test_values_in_a_text_look_as_in_json_but_for_texts(value: JsonValue, text: str) -> None:
    assert rendered("<${x}>", x=value) == f"<{text}>"


@pytest.mark.parametrize("value", ["a", 5, 2.5, True, None, [1], {"a": 1}], ids=repr)
def test_a_text_that_is_one_insert_keeps_the_type(value: JsonValue) -> None:
    assert Template.parse("${x}").value(session({"x": value})) == value
    assert Template.parse("${x} ").value(session({"x": value})) == f"{text_of(value)} "


def test_names_are_the_data_that_a_template_needs() -> None:
    template = Template.parse("${vars.a} ${data.users.address.city} ${token} ${uuid} ${now_ms}")
    assert template.names == {"vars.a", "data.users.address.city", "token"}
    assert not template.is_constant
    assert Template.parse("$$ and more").is_constant


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ab${x", "character 3: ${ has no }"),
        ("${", "character 1: ${ has no }"),
        ("${}", "character 1: must be a name such as vars.NAME, data.FEED.COLUMN or a capture"),
        ("x ${a b}", "character 3: must be a name"),
        ("${1a}", "must be a name"),
        ("${a..b}", "must be a name"),
        ("${x${y}}", "must be a name"),
        ("${a.b}", "only vars and data have parts (got 'a.b')"),
        ("${vars}", "must name a variable, vars.NAME"),
        ("${vars.a.b}", "must name a variable, vars.NAME"),
        ("${data.users}", "must name a feed and a column"),
        ("${env.HOME}", "environment variables are filled in as the file is read"),
        ("${foo(1)}", "there is no function foo (known: injector, iteration, now_iso"),
        ("${uuid(1)}", "uuid takes nothing (got '1')"),
        ("${random_int}", "random_int takes two whole numbers (got '')"),
        ("${random_int(1)}", "random_int takes two whole numbers (got '1')"),
        ("${random_int(1, x)}", "random_int takes two whole numbers (got '1, x')"),
        ("${random_int(1, 2,)}", "random_int takes two whole numbers"),
        ("${random_int(5, 1)}", "random_int needs its smaller number first (got 5, 1)"),
        ("${random_hex(0)}", "random_hex makes 1 to 1024 digits (got 0)"),
        ("${random_hex(99999)}", "random_hex makes 1 to 1024 digits (got 99999)"),
    ],
)
def test_what_is_no_template_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        Template.parse(text)


def test_variables_are_put_in_for_good() -> None:
    template = Template.parse("${vars.n}", {"n": 42})
    assert template.is_constant
    assert template.constant() == 42
    assert Template.parse("a${vars.n}$$", {"n": True}).constant() == "atrue$"
    assert Template.parse("a${vars.n}", {"n": "$${x}"}).render(session()) == "a$${x}"


def test_an_unknown_variable_is_refused_when_they_are_known() -> None:
    with pytest.raises(ValueError, match=re.escape("there is no variable m (known: n)")):
        Template.parse("${vars.m}", {"n": 1})
    with pytest.raises(RenderError, match=r"vars\.m is not known"):
        rendered("${vars.m}")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${data.users.id}", "7"),
        ("${data.users.first name}", "Ann"),
        ("${data.users.address.city}", "Rome"),
        ("${data.users.tags.1}", "b"),
        ("${data.users.dotted.key}", "whole"),
        ("${data.users.address}", '{"city":"Rome"}'),
    ],
)
def test_rows_are_reached_by_column_and_path(text: str, result: str) -> None:
    row: dict[str, JsonValue] = {
        "id": "7",
        "first name": "Ann",
        "address": {"city": "Rome"},
        "tags": ["a", "b"],
        "dotted.key": "whole",
    }
    assert Template.parse(text).render(session(rows={"users": row})) == result


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${token}", "token was not captured"),
        ("${data.users.nope}", "this row of users has no nope"),
        ("${data.users.id.x}", "this row of users has no id.x"),
        ("${data.users.tags.2}", "this row of users has no tags.2"),
        ("${data.orders.id}", "no row was drawn from orders"),
    ],
)
def test_missing_data_is_an_error_of_that_request(text: str, words: str) -> None:
    rows: dict[str, dict[str, JsonValue]] = {"users": {"id": "7", "tags": [1, 2]}}
    with pytest.raises(RenderError, match=re.escape(words)):
        Template.parse(text).render(session(rows=rows))


def test_functions_give_what_they_say() -> None:
    first, second = rendered("${uuid}"), rendered("${uuid()}")
    assert uuid.UUID(first).version == 4
    assert first != second, "not even a seed makes two of them the same"
    assert abs(int(rendered("${now_ms}")) - time.time() * 1000) < 60_000
    moment = datetime.fromisoformat(rendered("${now_iso}"))
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 60
    assert re.fullmatch(r"[0-9a-f]{9}", rendered("${random_hex(9)}"))
    scope = session()
    dice = Template.parse("${random_int(-1, 1)}")
    assert {dice.value(scope) for _ in range(100)} == {-1, 0, 1}


def test_random_numbers_follow_the_seed() -> None:
    template = Template.parse("${random_int(1, 1000000)} ${random_hex(16)}")
    assert template.render(session(seed=3)) == template.render(session(seed=3))
    assert template.render(session(seed=3)) != template.render(session(seed=4))


def test_encoding_touches_only_what_is_put_in() -> None:
    template = Template.parse("/a b/${x}")
    assert template.render(session({"x": "c d"}), quote) == "/a b/c%20d"


@given(st.text())
def test_an_escaped_text_stands_for_itself(text: str) -> None:
    template = Template.parse(escape(text))
    assert template.is_constant
    assert template.constant() == text
    assert template.render(session()) == text


NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,9}", fullmatch=True).map(lambda name: f"x_{name}")


@given(st.lists(st.one_of(st.text(), st.tuples(NAME, st.text())), max_size=8))
def test_literals_and_inserts_come_out_in_their_order(
    parts: list[str | tuple[str, str]],
) -> None:
    captured: dict[str, JsonValue] = {part[0]: part[1] for part in parts if isinstance(part, tuple)}
    source = "".join(p if isinstance(p, str) else f"${{{p[0]}}}" for p in _escaped(parts))
    result = "".join(p if isinstance(p, str) else str(captured[p[0]]) for p in parts)
    template = Template.parse(source)
    assert template.render(session(captured)) == result
    assert template.names == set(captured)


def _escaped(parts: list[str | tuple[str, str]]) -> list[str | tuple[str, str]]:
    return [escape(part) if isinstance(part, str) else part for part in parts]


@given(st.text(alphabet="${}().,_ abvrsdtn1-", max_size=30))
def test_any_text_is_a_template_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert Template.parse(text).source == text
