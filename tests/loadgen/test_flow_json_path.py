"""Paths into JSON: the quick walk and JMESPath agree, and `$.a.b` is understood."""

from __future__ import annotations

from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.flow.json_path import JsonPath

BODY: Any = {
    "id": 7,
    "name": "Lamp",
    "price": {"net": 1.5, "tax-rate": 0.2},
    "items": [{"id": "a"}, {"id": "b", "tags": ["x", "y"]}],
    "a.b": "dotted",
    "0": "zero",
    "nothing": None,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("id", 7),
        ("$.id", 7),
        ("  $.id ", 7),
        ("price.net", 1.5),
        ("$.price.net", 1.5),
        ("$.items[1].tags[0]", "x"),
        ("items[-1].id", "b"),
        ("items[*].id", ["a", "b"]),
        ("$.items[*].id", ["a", "b"]),
        ("length(items)", 2),
        ("items[?id == 'b'] | [0].tags[1]", "y"),
        ('"a.b"', "dotted"),
        ("$['a.b']", "dotted"),
        ("$[\"price\"]['net']", 1.5),
        ('$."a.b"', "dotted"),
        ("$.price.tax-rate", 0.2),
        ('price."tax-rate"', 0.2),
        ("$.0", "zero"),
        ("nothing", None),
        ("absent.more[0]", None),
        ("id.more", None),
        ("name[0]", None),
        ("items.id", None),
        ("items[9]", None),
        ("length(id)", None),
        ("@.id", 7),
    ],
)
def test_a_path_finds_what_is_there(path: str, found: object) -> None:
    assert JsonPath(path).find(BODY) == found


@pytest.mark.parametrize("path", ["$", "@", " $ "])
def test_the_whole_body_has_a_path(path: str) -> None:
    assert JsonPath(path).find(BODY) is BODY
    assert JsonPath(path).find([1]) == [1]


def test_a_body_that_is_a_list_begins_with_an_index() -> None:
    assert JsonPath("$[1].a").find([{}, {"a": 3}]) == 3
    assert JsonPath("[0]").find([5]) == 5


@pytest.mark.parametrize(
    "path", ["", "$..id", "a b", "items[", "foo(", "$.", "$id", "a-b", "nope(@)(@)"]
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"^is no JMESPath: .+ \(got '"):
        JsonPath(path)


NAMES = st.sampled_from(["a", "b", "c_1"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
)
STEPS = st.lists(NAMES.map(lambda n: f".{n}") | st.integers(0, 3).map(lambda i: f"[{i}]"))


@given(JSON, NAMES, STEPS)
def test_the_quick_walk_finds_what_jmespath_finds(value: Any, first: str, steps: list[str]) -> None:
    path = first + "".join(steps)
    assert JsonPath(path)._steps is not None
    assert JsonPath(path).find(value) == jmespath.search(path, value)
