"""YAML as plain values that know where they are."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.located_yaml import Place, Unreadable, dotted, read_document


@given(
    st.dictionaries(
        st.text(string.ascii_letters, min_size=1, max_size=5),
        st.integers(-(10**15), 10**15) | st.booleans() | st.text(string.ascii_letters, max_size=5),
    )
)
def test_values_are_those_that_were_written(value: dict[str, Any]) -> None:
    assert read_document(json.dumps(value)).value == value


def test_places_are_those_of_keys_and_values() -> None:
    document = read_document("a:\n  - b: 1\n    c: 2\n")

    assert document.place(("a", 0, "c")) == Place(3, 8)
    assert document.place(("a", 0, "c"), of_key=True) == Place(3, 5)
    # Of what is not there, what should have it.
    assert document.place(("a", 0, "d")) == Place(2, 5)
    assert dotted(("a", 0, "d")) == "a[0].d"
    assert document.at(("a", 0, "b")) == 1
    assert document.at(("a", 7)) is None


def test_what_cannot_be_read_at_all_has_a_place() -> None:
    with pytest.raises(Unreadable) as raised:
        read_document("a: 1\nb: c: d\n")

    assert raised.value.problems[0].place == Place(2, 5)


def test_words_of_yaml_1_1_are_words() -> None:
    assert read_document("{a: on, b: no, c: 0o17, d: 1_000, e: 2020-01-01}").value == {
        "a": "on",
        "b": "no",
        "c": 15,
        "d": 1000,
        "e": "2020-01-01",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("a: b: c", "put text with a colon and a blank in quotes", id="colon"),
        pytest.param("a: {b: /x/{y}}", "put text with braces in quotes", id="braces"),
        pytest.param("a:\n\tb: 1", "a tab cannot indent YAML", id="tab"),
        pytest.param("a: &x [*x]", "nested too deeply", id="alias to itself"),
    ],
)
def test_a_slip_is_told_with_a_way_out(text: str, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read_document(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("a: 1\na: 2", "comes twice: it is in line 1 as well", id="key twice"),
        pytest.param("{? [a] : 1}", "a key must be a word", id="list as key"),
        pytest.param("a: !x y", "the tag !x is not known here", id="tag"),
        pytest.param("a: &x {b: 1}\nc: {<<: *x}", "merge keys", id="merge key"),
    ],
)
def test_what_could_surprise_is_refused_and_the_rest_is_read(text: str, said: str) -> None:
    (found,) = read_document(text).problems

    assert said in found.message
