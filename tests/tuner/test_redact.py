"""What a function quotes of its event does not leave the run."""

import json

import pytest

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
    assert hidden_texts(payload) == ()
