"""Which memory sizes a run may have: given, of the ladder, or candidates within limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from tuner.sizes import choose_candidates, choose_sizes, parse_sizes

LADDER = (128, 256, 512, 1024, 1769, 3008)


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        pytest.param("512", (512,), id="one"),
        pytest.param("1024, 128 ,512", (128, 512, 1024), id="sorted"),
        pytest.param("128,128", (128,), id="once each"),
        pytest.param("128,10240", (128, 10240), id="the limits"),
    ],
)
def test_sizes_are_read(text: str, sizes: tuple[int, ...]) -> None:
    assert parse_sizes(text) == sizes


@pytest.mark.parametrize(
    ("text", "got"),
    [
        pytest.param("64", "got 64", id="below"),
        pytest.param("20000", "got 20000", id="above"),
        pytest.param("128,,256", "got ''", id="a gap"),
        pytest.param("", "got ''", id="empty"),
        pytest.param("512MB", "got '512MB'", id="a unit"),
        pytest.param("-512", "got '-512'", id="negative"),
        pytest.param("1e3", "got '1e3'", id="a float"),
        pytest.param("٥١٢", "got '٥١٢'", id="other digits"),
    ],
)
def test_a_wrong_size_is_named(text: str, got: str) -> None:
    with pytest.raises(
        InputError, match=f"--sizes: expected whole MB between 128 and 10240.*{got}"
    ):
        parse_sizes(text)


@pytest.mark.parametrize(
    ("low", "high", "current", "sizes"),
    [
        pytest.param(None, None, 512, LADDER, id="defaults"),
        pytest.param(None, None, 640, (128, 256, 512, 640, 1024, 1769, 3008), id="current added"),
        pytest.param(200, 1100, 512, (200, 256, 512, 1024, 1100), id="limits are measured"),
        pytest.param(4000, None, 4000, (4000,), id="a minimum above the default maximum"),
        pytest.param(None, 10240, 128, (*LADDER, 5308, 10240), id="to the top"),
        pytest.param(1024, 1024, 1024, (1024,), id="one size"),
    ],
)
def test_sizes_are_chosen(
    low: int | None, high: int | None, current: int, sizes: tuple[int, ...]
) -> None:
    chosen, notes = choose_sizes(
        sizes=None, min_memory_mb=low, max_memory_mb=high, current_mb=current
    )

    assert chosen == sizes
    assert bool(notes) == (current == 640)


def test_given_sizes_are_taken_as_they_are() -> None:
    chosen, notes = choose_sizes(
        sizes=(300, 200), min_memory_mb=None, max_memory_mb=None, current_mb=128
    )

    assert (chosen, notes) == ((200, 300), ())


@pytest.mark.parametrize(
    ("sizes", "low", "high", "message"),
    [
        pytest.param((128,), 128, None, "--sizes: leave out --min-memory", id="both"),
        pytest.param(None, 64, None, r"--min-memory: .*\(got 64\)", id="minimum too small"),
        pytest.param(None, None, 20000, r"--max-memory: .*\(got 20000\)", id="maximum too large"),
        pytest.param(
            None, 1024, 512, r"--min-memory: expected at most.*512 \(got 1024\)", id="turned"
        ),
    ],
)
def test_limits_that_contradict_are_refused(
    sizes: tuple[int, ...] | None, low: int | None, high: int | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        choose_sizes(sizes=sizes, min_memory_mb=low, max_memory_mb=high, current_mb=512)


@pytest.mark.parametrize(
    ("low", "high", "current", "ends", "noted"),
    [
        pytest.param(None, None, 512, (128, 3008), False, id="defaults"),
        pytest.param(None, None, 640, (128, 3008), False, id="an odd current size"),
        pytest.param(None, None, 6000, (128, 6000), False, id="up to what it has"),
        pytest.param(256, 1100, 512, (256, 1100), False, id="limits"),
        pytest.param(None, 1024, 2048, (128, 1024), True, id="a current size above the limit"),
        pytest.param(1024, None, 512, (1024, 3008), True, id="a current size below the limit"),
        pytest.param(4000, None, 4000, (4000, 4000), False, id="above the default maximum"),
    ],
)
def test_candidates_lie_within_the_limits_and_have_the_current_size(
    low: int | None, high: int | None, current: int, ends: tuple[int, int], *, noted: bool
) -> None:
    found, notes = choose_candidates(min_memory_mb=low, max_memory_mb=high, current_mb=current)

    assert (found[0], found[-1]) == ends
    assert (current in found) != noted
    assert [note.endswith("no saving can be stated") for note in notes] == [True] * noted


def test_candidates_hold_limits_that_contradict_for_a_mistake() -> None:
    with pytest.raises(InputError, match=r"--min-memory: expected at most.*512 \(got 1024\)"):
        choose_candidates(min_memory_mb=1024, max_memory_mb=512, current_mb=128)


@given(
    low=st.integers(128, 10240) | st.none(),
    high=st.integers(128, 10240) | st.none(),
    current=st.integers(128, 10240),
)
def test_every_choice_holds_the_limits_and_the_current_size(
    low: int | None, high: int | None, current: int
) -> None:
    if low is not None and high is not None and low > high:
        low, high = high, low

    chosen, _ = choose_sizes(sizes=None, min_memory_mb=low, max_memory_mb=high, current_mb=current)

    assert current in chosen
    assert all(limit in chosen for limit in (low, high) if limit is not None)
    assert list(chosen) == sorted(set(chosen))
    assert all(128 <= size <= 10240 for size in chosen)


@pytest.mark.parametrize(
    ("limits", "current_mb", "first", "last", "count"),
    [
        pytest.param((None, None), 512, 128, 3008, 46, id="to 3008"),
        pytest.param((None, 10240), 512, 128, 10240, 159, id="to --max-memory"),
        pytest.param((1000, 1100), 1064, 1000, 1064, 2, id="from --min-memory"),
        pytest.param((None, None), 1769, 128, 3008, 47, id="with today's between the steps"),
    ],
)
def test_all_sizes_are_64_mb_apart(
    limits: tuple[int | None, int | None], current_mb: int, first: int, last: int, count: int
) -> None:
    sizes, notes = choose_sizes(
        sizes=parse_sizes(" ALL "),
        min_memory_mb=limits[0],
        max_memory_mb=limits[1],
        current_mb=current_mb,
    )

    assert (sizes[0], sizes[-1], len(sizes)) == (first, last, count)
    assert current_mb in sizes
    assert bool(notes) == (current_mb == 1769)
