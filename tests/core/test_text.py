"""Text from outside becomes one line that can be shown and stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("plain words", "plain words", id="plain"),
        pytest.param("Grüße, 東京 🙂", "Grüße, 東京 🙂", id="other alphabets stay"),
        pytest.param(" two\r\n lines\tand  more ", "two lines and more", id="white space"),
        pytest.param("a\u2028b\u00a0c", "a b c", id="white space of Unicode"),
        pytest.param("half \ud83d of a pair", "half \ufffd of a pair", id="surrogate"),
        pytest.param("\x1b[31mred\x1b[0m", "\ufffd[31mred\ufffd[0m", id="colours"),
        pytest.param("\x1b]0;title\x07", "\ufffd]0;title\ufffd", id="a window title"),
        pytest.param("a\x9bb", "a\ufffdb", id="the escape of 8 bits"),
        pytest.param("user\u202egnp.exe", "user\ufffdgnp.exe", id="reversed reading"),
        pytest.param("a\x00b\x7fc", "a\ufffdb\ufffdc", id="NUL and DEL"),
        pytest.param("", "", id="empty"),
    ],
)
def test_text_becomes_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text(alphabet=st.characters(codec=None)))
def test_any_text_can_be_printed_and_stored_and_stays_as_it_is_then(text: str) -> None:
    line = one_line(text)

    assert line.isprintable()
    assert line.encode().decode() == line
    assert one_line(line) == line
