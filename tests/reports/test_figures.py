"""Numbers as readers see them."""

from __future__ import annotations

import pytest

from reports import figures


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (figures.significant(2.283), "2.28"),
        (figures.significant(2345.6), "2,346"),
        (figures.significant(0.012345), "0.0123"),
        (figures.significant(0), "0"),
        (figures.fixed(-0.004, 2), "0.00"),
        (figures.fixed(-1.5, 1), "\N{MINUS SIGN}1.5"),
        (figures.megabytes(10240), "10,240\N{NO-BREAK SPACE}MB"),
        (figures.told_sizes([256, 512]), "256 and 512\N{NO-BREAK SPACE}MB"),
        (
            figures.told_sizes(range(128, 3009, 64)),
            "46 sizes from 128 to 3,008\N{NO-BREAK SPACE}MB in steps of 64",
        ),
        (
            figures.told_sizes([*range(128, 3009, 64), 3010]),
            "47 sizes from 128 to 3,010\N{NO-BREAK SPACE}MB",
        ),
        (figures.listed_sizes([512]), "512\N{NO-BREAK SPACE}MB"),
        (figures.listed_sizes([256, 512, 1024]), "256, 512 and 1,024\N{NO-BREAK SPACE}MB"),
        (figures.usd(2.283), "$2.28"),
        (figures.usd(1234.5), "$1,234"),
        (figures.usd(0.00106), "$0.00106"),
        (figures.usd(-3), "\N{MINUS SIGN}$3.00"),
        (figures.usd(0), "$0"),
        (figures.unit_price(0.0000166667), "$0.0000166667"),
        (figures.unit_price(0.0000002), "$0.0000002"),
        (figures.percent(0.0421), "4.2\N{NO-BREAK SPACE}%"),
        (figures.percent(0.2349), "23\N{NO-BREAK SPACE}%"),
        (figures.percent_range(0.19, 0.27), "19 to 27\N{NO-BREAK SPACE}%"),
        (figures.moment("2025-11-20T09:14:02Z"), "2025-11-20 09:14:02 UTC"),
        (figures.moment("2025-11-20T09:14:02+01:00"), "2025-11-20T09:14:02+01:00"),
        (figures.moment("yesterday"), "yesterday"),
        (figures.rate(78.94), "78.9/s"),
        (figures.rate(31.0), "31/s"),
        (figures.seconds(45), "45\N{NO-BREAK SPACE}s"),
        (figures.seconds(0.25), "0.250\N{NO-BREAK SPACE}s"),
        (figures.seconds(150), "2\N{NO-BREAK SPACE}min 30\N{NO-BREAK SPACE}s"),
        (figures.seconds(10_800), "3\N{NO-BREAK SPACE}h"),
        (figures.short_time(0.06), "60\N{NO-BREAK SPACE}µs"),
        (figures.short_time(41.2), "41.2\N{NO-BREAK SPACE}ms"),
        (figures.bytes_of(412), "412\N{NO-BREAK SPACE}bytes"),
        (figures.bytes_of(6_390_000), "6.39\N{NO-BREAK SPACE}MB"),
        (figures.listed(["a"]), "a"),
        (figures.listed(["a", "b", "c"], "or"), "a, b or c"),
    ],
)
def test_a_number_is_written_as_a_reader_expects(written, expected):
    assert written == expected


def test_a_column_shares_its_decimals_and_keeps_gaps():
    assert figures.column([2985.2, None, 12.3]) == ["2,985.2", None, "12.3"]
    assert figures.column([None, None]) == [None, None]
    assert figures.column([0.0, 150.0]) == ["0", "150"]


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 0, figures.ABSENT),
        (0, 100, "0 %"),
        (1, 100_000, "< 0.1 %"),
        (340, 1000, "34 %"),
        (997, 1000, "99.7 %"),
        (99_999, 100_000, "> 99.9 %"),
        (5, 5, "100 %"),
    ],
)
def test_a_part_of_a_whole_never_hides_a_rest(part, whole, expected):
    assert figures.part_of(part, whole).replace(figures.SPACE, " ") == expected


def test_columns_that_stand_beside_each_other_share_their_decimals():
    assert figures.columns_alike([[1.0, None], [0.25, 20.0]]) == [
        ["1.000", figures.ABSENT],
        ["0.250", "20.000"],
    ]


def test_an_interval_needs_both_ends():
    assert figures.interval_cells(["1.0", figures.ABSENT], ["2.0", "3.0"]) == [
        "1.0 to 2.0",
        figures.ABSENT,
    ]


@pytest.mark.parametrize(
    ("bills", "expected"),
    [
        ([[31.2, None, 4.0]], [["31.20", figures.ABSENT, "4.00"]]),
        ([[12_345.6, 100.2]], [["12,346", "100"]]),
        ([[0.0123]], [["0.0123"]]),
        ([[]], [[]]),
    ],
    ids=["cents", "large", "below a dollar", "nothing"],
)
def test_bills_have_the_decimals_that_money_has(bills, expected):
    assert figures.money_columns(bills) == expected


@pytest.mark.parametrize(
    ("count", "expected"), [(12_000_000, "12,000,000"), (4_123_456.7, "4,120,000"), (3.0, "3")]
)
def test_computed_requests_have_three_digits(count, expected):
    assert figures.requests(count) == expected
