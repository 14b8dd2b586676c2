"""Histograms: the layout and encoding of HdrHistogram, and percentiles within 0.1 %."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from core.hdr import DIGITS, HIGHEST_US, LOWEST_US, SLOTS, highest_us, lowest_us, slots_of
from loadgen.histogram import Histogram

HOUR_US = HIGHEST_US
PERCENTS = (0, 1, 50, 90, 95, 99, 99.9, 99.99, 100)

# Many small values share slots, and powers of two are where slots change their width.
LATENCIES = st.one_of(
    st.integers(0, 3_000),
    st.integers(0, HOUR_US),
    st.integers(0, 31).map(lambda bits: min(2**bits, HOUR_US)),
    st.integers(1, 31).map(lambda bits: 2**bits - 1),
)
SAMPLES = st.lists(LATENCIES, max_size=200)


def reference(values):
    """The same values in the library's own histogram."""
    histogram = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
    for value in values:
        histogram.record_value(value)
    return histogram


def counts_of(histogram):
    slots, counts = histogram.slots_and_counts()
    return dict(zip(slots.tolist(), counts.tolist(), strict=True))


def value_at_rank(values, percent):
    rank = max(math.ceil(round(percent * len(values) / 100, 6)), 1)
    return sorted(values)[rank - 1]


def spread(n, seed=1):
    return np.random.default_rng(seed).lognormal(10.5, 1.2, n).astype(np.int64)


# -- layout ---------------------------------------------------------------------------------------


def test_the_number_of_slots_is_that_of_hdrhistogram():
    assert reference([]).counts_len == SLOTS
    assert slots_of(np.array([HIGHEST_US]))[0] < SLOTS


@given(LATENCIES)
def test_every_value_has_the_slot_that_hdrhistogram_gives_it(value):
    assert counts_of(Histogram.of([value])) == {reference([])._counts_index_for(value): 1}


@given(LATENCIES)
def test_a_slot_is_at_most_a_thousandth_wide(value):
    slot = slots_of(np.array([value]))
    low, high = int(lowest_us(slot)[0]), int(highest_us(slot)[0])
    assert low <= value <= high
    assert high - low <= low / 1000


def test_slots_follow_each_other_without_gaps():
    slots = np.arange(SLOTS)
    assert (lowest_us(slots)[1:] == highest_us(slots)[:-1] + 1).all()


# -- percentiles ----------------------------------------------------------------------------------


@given(st.lists(LATENCIES, min_size=1, max_size=200), st.sampled_from(PERCENTS))
def test_a_percentile_is_within_a_thousandth_above_the_measured_value(values, percent):
    truth = value_at_rank(values, percent)
    assert truth <= Histogram.of(values).percentile(percent) <= truth * 1.001


@given(st.lists(LATENCIES, min_size=1, max_size=200), st.sampled_from((50, 90, 95, 99, 100)))
@settings(max_examples=40)
def test_percentiles_are_those_of_hdrhistogram_up_to_the_exact_maximum(values, percent):
    histogram = reference(values)
    # The library rounds ranks to the nearest; ours, as Java's, are rounded up.
    rank = max(math.ceil(round(percent * len(values) / 100, 6)), 1)
    theirs = histogram.get_value_at_percentile(rank / len(values) * 100)
    assert Histogram.of(values).percentile(percent) == min(theirs, max(values))


@pytest.mark.parametrize(
    ("n", "percent", "rank"),
    [(1000, 99.9, 999), (1000, 99, 990), (10, 50, 5), (10, 55, 6), (3, 100, 3), (3, 0, 1)],
)
def test_ranks_are_exact_in_spite_of_floating_point(n, percent, rank):
    assert Histogram.of(range(1, n + 1)).percentile(percent) == rank


def test_the_99th_percentile_of_a_thousand_needs_ten_slow_ones_beyond_it():
    assert Histogram.of([1000] * 990 + [50_000] * 10).percentile(99) == 1000
    assert Histogram.of([1000] * 989 + [50_000] * 11).percentile(99) == 50_000


@given(SAMPLES)
def test_count_minimum_maximum_and_mean_are_exact(values):
    histogram = Histogram.of(values)
    assert histogram.n == len(values)
    assert histogram.min_us == min(values, default=0)
    assert histogram.max_us == max(values, default=0)
    assert histogram.mean_us == (sum(values) / len(values) if values else 0.0)


def test_an_empty_histogram_has_zeros():
    empty = Histogram()
    assert (empty.n, empty.max_us, empty.mean_us, empty.percentile(99)) == (0, 0, 0.0, 0)
    assert empty.count_at_most(5) == 0


def test_values_out_of_range_count_at_its_ends_and_keep_the_exact_maximum():
    histogram = Histogram.of([-5, 2 * HOUR_US])
    assert histogram.n == 2
    assert histogram.min_us == 0
    assert histogram.max_us == 2 * HOUR_US
    assert histogram.percentile(50) == 0


@given(SAMPLES, LATENCIES)
def test_counting_up_to_a_value_includes_its_whole_slot(values, limit):
    top = int(highest_us(slots_of(np.array([limit])))[0])
    expected = sum(value <= top for value in values)
    assert Histogram.of(values).count_at_most(limit) == expected


# -- changes --------------------------------------------------------------------------------------


@given(st.lists(SAMPLES, max_size=6))
def test_merging_is_the_same_as_counting_all_at_once(parts):
    together = Histogram.of([value for part in parts for value in part])
    assert Histogram.merged(Histogram.of(part) for part in parts) == together


def test_merging_is_exact_when_there_are_many_slots():
    values = spread(40_000)
    merged = Histogram.merged(Histogram.of(part) for part in np.array_split(values, 37))
    assert merged == Histogram.of(values)
    assert counts_of(merged) == counts_of(Histogram.of(values[::-1]))


def test_a_merge_leaves_the_other_alone():
    small, large = Histogram.of([5, 7]), Histogram.of(spread(5_000))
    before = counts_of(small), counts_of(large)
    whole = Histogram()
    for part in (small, small, large, small, large):
        whole.merge(part)
    assert (counts_of(small), counts_of(large)) == before
    assert whole.n == 10_006


@given(SAMPLES, SAMPLES)
def test_subtracting_what_was_merged_gives_the_same_counts_again(kept, taken):
    histogram = Histogram.of(kept)
    histogram.merge(Histogram.of(taken))
    histogram.subtract(Histogram.of(taken))
    assert counts_of(histogram) == counts_of(Histogram.of(kept))
    assert histogram.mean_us == Histogram.of(kept).mean_us
    assert max(kept, default=0) <= histogram.max_us <= max(kept, default=0) * 1.001


def test_values_that_are_not_there_cannot_be_subtracted():
    histogram = Histogram.of([10, 20])
    with pytest.raises(ValueError, match="does not have them"):
        histogram.subtract(Histogram.of([30]))
    assert histogram == Histogram.of([10, 20])


@given(SAMPLES, SAMPLES)
def test_taking_gives_what_there_is_and_loses_nothing(values, wanted):
    histogram = Histogram.of(values)
    taken = histogram.take(wanted)
    assert taken.n == min(len(wanted), len(values))
    assert histogram.n == len(values) - taken.n
    histogram.merge(taken)
    assert counts_of(histogram) == counts_of(Histogram.of(values))


def test_taking_prefers_the_values_themselves_and_else_their_neighbours():
    histogram = Histogram.of([100, 200, 201, 900])
    assert counts_of(histogram.take([200, 902])) == counts_of(Histogram.of([200, 900]))
    assert counts_of(histogram) == counts_of(Histogram.of([100, 201]))


# -- as text --------------------------------------------------------------------------------------


@given(SAMPLES)
def test_a_histogram_comes_back_from_its_text_unchanged(values):
    histogram = Histogram.of(values)
    assert Histogram.decode(histogram.encode()) == histogram


@pytest.mark.parametrize(
    "values",
    [[0], [1, 2, 4], [7] * 200, np.full(2_200_000, 5), spread(20_000)],
    ids=["zero", "single gaps", "two-byte count", "four-byte count", "many slots"],
)
def test_counts_of_every_size_come_back(values):
    histogram = Histogram.of(values)
    assert Histogram.decode(histogram.encode()) == histogram


@given(st.lists(LATENCIES, min_size=1, max_size=100))
def test_hdrhistogram_reads_what_stands_before_the_first_semicolon(values):
    text = Histogram.of(values).encode().split(";")[0]
    read = HdrHistogram.decode(text.encode())
    assert read.get_total_count() == len(values)
    assert [read.get_count_at_index(slot) for slot in counts_of(Histogram.of(values))] == list(
        counts_of(Histogram.of(values)).values()
    )


@given(st.lists(LATENCIES, min_size=1, max_size=100))
def test_what_hdrhistogram_wrote_is_read(values):
    text = reference(values).encode().decode()
    extent = f"{min(values)};{max(values)};{sum(values)}"
    assert Histogram.decode(f"{text};{extent}") == Histogram.of(values)


def test_nothing_is_written_of_an_empty_histogram():
    assert Histogram().encode() == ""
    assert Histogram.decode("") == Histogram()


GOOD = Histogram.of([1, 2, 300_000]).encode()


@pytest.mark.parametrize(
    "text",
    [
        "no histogram",
        "AAAA;1;2;3",
        GOOD.split(";")[0],
        GOOD[8:],
        GOOD[:20] + ";1;300000;300003",
        "????" + GOOD,
        GOOD.replace(";1;", ";x;"),
        GOOD.replace(";1;", ";-1;"),
        HdrHistogram(1, 1_000_000, 2).encode().decode() + ";0;0;0",
    ],
    ids=[
        "words", "too short", "no extent", "no beginning", "cut short", "no base64",
        "no number", "negative", "another layout",
    ],
)  # fmt: skip
def test_a_damaged_text_is_refused(text):
    with pytest.raises(ValueError, match="not an encoded histogram"):
        Histogram.decode(text)


@given(st.integers(0, len(GOOD) - 1), st.characters(codec="ascii"))
def test_one_wrong_character_never_breaks_anything_else(place, character):
    text = GOOD[:place] + character + GOOD[place + 1 :]
    try:
        histogram = Histogram.decode(text)
    except ValueError:
        return
    assert histogram.n >= 0
