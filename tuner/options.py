"""The options of `tune`, and the check of all of them before AWS is asked for anything."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from core.aws.prices import PriceTable, bundled_prices, read_price_file
from core.errors import InputError
from reports.document import Objective
from reports.exports import parse_export
from tuner.objective import check_objective
from tuner.payload import Payload, read_payload
from tuner.plan import MAX_SAMPLES, parse_sizes
from tuner.target import check_function_name

# Whole in every reader of JSON; numpy's generators take no negative seeds.
MAX_SEED = 2**53 - 1


@dataclass(frozen=True, slots=True)
class TuneOptions:
    """What the command line says, not yet checked."""

    function: str
    payload_file: str | None
    payload_text: str | None
    sizes: str | None
    min_memory_mb: int | None
    max_memory_mb: int | None
    samples: int
    parallel: int
    objective: str
    weight: float | None
    seed: int | None
    region: str | None
    profile: str | None
    sandbox: bool
    price_file: Path | None
    exports: tuple[str, ...]
    runs: Path
    dry_run: bool
    yes: bool


@dataclass(frozen=True, slots=True)
class TuneRequest:
    """The options, checked before anything is asked of AWS."""

    options: TuneOptions
    sizes_mb: tuple[int, ...] | None
    payload: Payload
    objective: Objective
    weight: float | None
    prices: PriceTable
    seed: int


def check_options(options: TuneOptions) -> TuneRequest:
    """`options`, with everything checked that needs no AWS.

    Raises:
        InputError: naming the option, its value and what was expected.
    """
    check_function_name(options.function)
    goal = check_objective(options.objective, options.weight)
    if not 1 <= options.samples <= MAX_SAMPLES:
        raise InputError(f"--samples: expected 1 to {MAX_SAMPLES} (got {options.samples})")
    if not 1 <= options.parallel <= 1000:
        raise InputError(f"--parallel: expected 1 to 1000 (got {options.parallel})")
    if options.seed is not None and not 0 <= options.seed <= MAX_SEED:
        raise InputError(f"--seed: expected 0 to {MAX_SEED} (got {options.seed})")
    if options.sandbox and options.profile:
        raise InputError("--profile: has no meaning with --sandbox, which needs no account")
    for spec in options.exports:
        parse_export(spec)
    return TuneRequest(
        options=options,
        sizes_mb=None if options.sizes is None else parse_sizes(options.sizes),
        payload=read_payload(file=options.payload_file, text=options.payload_text),
        objective=goal.objective,
        weight=goal.weight,
        prices=read_price_file(options.price_file) if options.price_file else bundled_prices(),
        seed=secrets.randbelow(2**32) if options.seed is None else options.seed,
    )
