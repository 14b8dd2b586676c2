"""Options that cannot work are refused before AWS is asked for anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InputError
from tuner.options import MAX_SEED, TuneOptions, check_options

PLAIN = TuneOptions(
    function="orders",
    payload_file=None,
    payload_text=None,
    sizes=None,
    min_memory_mb=None,
    max_memory_mb=None,
    samples=10,
    parallel=1,
    objective="cost",
    weight=None,
    seed=None,
    region=None,
    profile=None,
    sandbox=False,
    price_file=None,
    exports=(),
    runs=Path("runs"),
    dry_run=False,
    yes=False,
)


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1])
def test_a_seed_that_no_generator_takes_is_refused(seed: int) -> None:
    with pytest.raises(InputError, match=rf"--seed: expected 0 to \d+ \(got {seed}\)"):
        check_options(replace(PLAIN, seed=seed))


@pytest.mark.parametrize("seed", [0, MAX_SEED])
def test_a_seed_is_taken_as_it_is(seed: int) -> None:
    assert check_options(replace(PLAIN, seed=seed)).seed == seed


def test_a_run_without_a_seed_draws_one() -> None:
    assert check_options(PLAIN).seed != check_options(PLAIN).seed
