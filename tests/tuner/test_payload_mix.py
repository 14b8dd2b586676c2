"""Which call gets which event: by weight, shuffled, and the same at every size."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.payload import Payload
from tuner.payload_mix import PayloadMix, WeightedPayload, shares, turns

weights = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=8)
seeds = st.integers(0, 2**53 - 1)


def mix(*of: float, seed: int = 1, even_share: float = 0.0) -> PayloadMix:
    items = [
        WeightedPayload(Payload(b"%d" % number), str(number), weight)
        for number, weight in enumerate(of, 1)
    ]
    return PayloadMix(tuple(items), seed, even_share)


def names(payloads: PayloadMix, calls: int) -> list[str]:
    return [item.name for item in islice(payloads.turns(), calls)]


@given(weights, seeds, st.integers(0, 200))
def test_after_any_number_of_calls_each_item_has_about_its_share(
    of: list[float], seed: int, calls: int
) -> None:
    expected = shares(of)

    met = list(islice(turns(expected, seed), calls))

    for index, share in enumerate(expected):
        assert abs(met.count(index) - share * calls) < 1 + share * len(of) + 1e-9


@given(seeds, st.integers(1, 12), st.integers(1, 4))
def test_items_of_equal_weight_come_once_each_before_any_comes_again(
    seed: int, count: int, rounds: int
) -> None:
    met = names(mix(*[1.0] * count, seed=seed), count * rounds)

    for start in range(0, count * rounds, count):
        assert len(set(met[start : start + count])) == count


@given(weights, seeds)
def test_every_size_gets_the_same_order(of: list[float], seed: int) -> None:
    payloads = mix(*of, seed=seed)

    assert names(payloads, 30) == names(payloads, 30)


def test_another_seed_is_another_order() -> None:
    assert names(mix(1, 1, 1, 1, seed=1), 40) != names(mix(1, 1, 1, 1, seed=2), 40)


def test_the_order_is_no_cycle() -> None:
    met = names(mix(1, 1, 1), 30)

    assert len({tuple(met[at : at + 3]) for at in range(0, 30, 3)}) > 1


@pytest.mark.parametrize("of", [(1e308, 1e308), (5e-324, 1.0), (1e-300, 1e300)])
def test_weights_of_any_magnitude_have_shares(of: tuple[float, ...]) -> None:
    assert sum(shares(of)) == pytest.approx(1)
    assert len(names(mix(*of), 20)) == 20


def test_one_payload_is_no_mix_and_has_no_weights() -> None:
    one = PayloadMix.of(Payload(b"{}"))

    assert (one.is_mix, one.weights, one.sha256) == (False, {}, Payload(b"{}").sha256)


def test_the_sum_of_a_mix_depends_on_weights_and_not_on_names() -> None:
    renamed = PayloadMix(
        tuple(WeightedPayload(i.payload, f"n{i.name}", i.weight) for i in mix(1, 2).items)
    )

    assert mix(1, 2).sha256 == renamed.sha256 != mix(2, 1).sha256


def test_an_even_share_lets_rare_payloads_come_sooner() -> None:
    rare = [names(mix(99, 1, seed=seed, even_share=0.5), 8).count("2") for seed in range(50)]

    assert min(rare) >= 1


@pytest.mark.parametrize(
    ("missing", "after", "calls"),
    [
        pytest.param(set(), 0, 0, id="nothing is missing"),
        pytest.param({"1", "2"}, 0, 2, id="all of them"),
        pytest.param({"nobody"}, 0, 20, id="at most as many as may be"),
    ],
)
def test_it_says_how_many_calls_meet_what_is_missing(
    missing: set[str], after: int, calls: int
) -> None:
    assert mix(1, 1).calls_to_meet(missing, after=after, most=20) == calls
