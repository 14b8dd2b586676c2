"""The Description of a version that was published to apply a size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.aws.limits import DESCRIPTION_MAX_CHARS
from tuner.apply.mark import application_of, applied_description
from tuner.marker import parse_marker, parse_version_marker


@given(
    text=st.text(max_size=300),
    apply_id=st.from_regex(r"[0-9a-f]{12}", fullmatch=True),
    from_mb=st.integers(128, 10240),
    to_mb=st.integers(128, 10240),
)
def test_a_mark_is_found_again_whatever_stands_before_it(
    text: str, apply_id: str, from_mb: int, to_mb: int
) -> None:
    description = applied_description(apply_id, from_mb, to_mb, text)

    assert application_of(description) == apply_id
    assert len(description) <= DESCRIPTION_MAX_CHARS
    assert applied_description(apply_id, from_mb, to_mb, description) == description
    # `tune restore` must never take it for a version of a run, which it deletes.
    assert parse_marker(description) is None
    assert parse_version_marker(description) is None


def test_the_mark_says_what_was_done_and_marks_do_not_pile_up() -> None:
    first = applied_description("a" * 12, 512, 256, "spring release")
    assert first == "spring release [tune-apply aaaaaaaaaaaa: 256 MB, was 512 MB]"

    second = applied_description("b" * 12, 256, 1024, first)

    assert second == "spring release [tune-apply bbbbbbbbbbbb: 1024 MB, was 256 MB]"
    assert application_of("spring release") is None
