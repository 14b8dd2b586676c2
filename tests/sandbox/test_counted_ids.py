"""Ids that count."""

from itertools import islice

from sandbox.counted_ids import BASE64_DIGITS, HEX_DIGITS, counted_ids


def test_ids_count_up_through_all_digits() -> None:
    ids = list(counted_ids("x-", "01", 3, "="))

    assert ids == [f"x-{number:03b}=" for number in range(8)]


def test_hexadecimal_ids_are_numbers() -> None:
    ids = list(islice(counted_ids("", HEX_DIGITS, 12), 5000))

    assert [int(one, 16) for one in ids] == list(range(5000))
    assert {len(one) for one in ids} == {12}


def test_ids_in_base64_are_different_and_of_one_length() -> None:
    ids = set(islice(counted_ids("ab", BASE64_DIGITS, 6, "="), 10_000))

    assert len(ids) == 10_000
    assert {len(one) for one in ids} == {9}
