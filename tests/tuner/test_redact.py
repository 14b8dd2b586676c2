"""What a function quotes of its event does not leave the run."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.redact import hidden_texts, redact

EVENT = {
    "card": "4111-1111-1111-1111",
    "verb": "DELETE",
    "short": "GET",
    "items": [{"note": 'say "ü"\nplease'}, {"number": 4111111111111111, "price": 1234.56}],
    "longer": "4111-1111-1111-1111-and-more",
    "nothing": None,
    "yes": True,
}


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        pytest.param("bad card 4111-1111-1111-1111!", "bad card [payload]!", id="a string"),
        pytest.param("4111-1111-1111-1111-and-more", "[payload]", id="the longer one first"),
        pytest.param("no 4111111111111111", "no [payload]", id="a number"),
        pytest.param("1234.56 is too much", "[payload] is too much", id="a fraction"),
        pytest.param("only GET", "only GET", id="a short word stays"),
        pytest.param("key 'longer' is odd", "key 'longer' is odd", id="a key stays"),
        pytest.param("DELETE DELETE", "[payload] [payload]", id="each time"),
        pytest.param("nothing of it", "nothing of it", id="nothing quoted"),
    ],
)
def test_quoted_values_are_replaced(message: str, shown: str) -> None:
    assert redact(message, hidden_texts(json.dumps(EVENT).encode())) == shown


@pytest.mark.parametrize(
    "quote",
    [
        pytest.param(str, id="Python's repr"),
        pytest.param(json.dumps, id="JSON"),
        pytest.param(lambda event: json.dumps(event, ensure_ascii=False), id="JSON in UTF-8"),
        pytest.param(lambda event: event["items"][0]["note"], id="as it is"),
    ],
)
def test_an_event_that_is_quoted_as_a_whole_shows_no_value(quote: object) -> None:
    hidden = hidden_texts(json.dumps(EVENT).encode())

    shown = redact(f"bad event {quote(EVENT)}", hidden)  # type: ignore[operator] # a function

    assert "4111" not in shown
    assert "please" not in shown
    assert "[payload]" in shown


@pytest.mark.parametrize("payload", [b"{}", b"null", b"12", b'"GET"', b"[]"])
def test_a_payload_without_long_values_hides_nothing(payload: bytes) -> None:
    assert redact("GET 12 {} [] null", hidden_texts(payload)) == "GET 12 {} [] null"


def test_values_that_begin_alike_are_found_longest_first() -> None:
    hidden = hidden_texts(b'["order-1", "order-12", "order-123"]')

    assert redact("order-123order-12 order-1 order-", hidden) == (
        "[payload][payload] [payload] order-"
    )


def test_a_value_is_found_once_and_its_replacement_is_not_searched() -> None:
    assert redact("bad payload", hidden_texts(b'["payload", "[payload]"]')) == "bad [payload]"


def test_an_endless_message_of_a_large_payload_is_only_begun() -> None:
    values = [f"value-{i:06d}" for i in range(50_000)]
    hidden = hidden_texts(json.dumps(values).encode())

    shown = redact(f"bad event {values}", hidden)

    assert shown.startswith("bad event ['[payload]', '[payload]', ")
    assert "value-" not in shown
    assert len(shown) <= 2_010


@given(st.lists(st.text(min_size=6, max_size=20), max_size=8), st.text(max_size=60))
def test_no_value_that_is_quoted_remains(values: list[str], between: str) -> None:
    """Values with characters of the replacement, or of each other, could arise from the joints."""
    plain = [value for value in values if not set(value) & set("[payload]" + between)]
    hidden = hidden_texts(json.dumps(plain).encode())

    shown = redact(between.join(["", *plain, ""]), hidden)

    assert not any(value in shown for value in plain)
