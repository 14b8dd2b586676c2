"""Rules of the calls of a run: which of them count, and what happens between and after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import InputError
from core.text import one_line

if TYPE_CHECKING:
    from reports.document import PlanKind
    from tuner.options import TuneOptions

MOST_DISCARD_SHARE = 0.4
MOST_DISCARD_FIRST = 50
MOST_SLEEP_S = 3600.0
_MOST_ERROR_CHARS = 200
# Errors of these names end the environment, or mean that the size is too small: they are no answer.
_NO_ANSWERS = ("Sandbox.", "Runtime.", "Extension.")


@dataclass(frozen=True, slots=True)
class CallRules:
    """How calls are made and counted.

    `discard_share` of the warm samples of a size are left out at each end of a typical duration,
    None for the usual trim. The first `discard_first` warm calls of a size do not count.
    """

    allowed_errors: frozenset[str] = frozenset()
    discard_share: float | None = None
    discard_first: int = 0
    sleep_s: float = 0.0
    keep_outputs: bool = False


def check_calls(options: TuneOptions, plan: PlanKind) -> CallRules:
    """The rules that the options set, for a plan of this kind.

    Raises:
        InputError: naming the option, its value and what was expected.
    """
    if plan == "test":
        _refuse_beside_test_run(options)
    if plan == "cold":
        _refuse_beside_cold_only(options)
    return CallRules(
        allowed_errors=frozenset(_allowed_error(name) for name in options.allow_errors),
        discard_share=_discard_share(options, plan),
        discard_first=_discard_first(options),
        sleep_s=_sleep_s(options),
        keep_outputs=options.keep_outputs,
    )


def _refuse_beside_test_run(options: TuneOptions) -> None:
    given = {
        "--samples": options.samples,
        "--cold-samples": options.cold_samples,
        "--cold-share": options.cold_share,
        "--requests-per-month": options.requests_per_month,
        "--discard": options.discard,
        "--discard-first": options.discard_first,
        "--objective": options.objective,
        "--weight": options.weight,
        "--slo": options.slo,
        "--knee": options.knee,
        "--arch": options.arch,
        "--apply": options.apply,
    }
    for option, value in given.items():
        if value is not None:
            raise InputError(
                f"{option}: has no meaning with --test-run, which makes one call at each size and "
                "recommends none"
            )


def _refuse_beside_cold_only(options: TuneOptions) -> None:
    given = {
        "--cold-samples": (options.cold_samples, "--samples says how many at each size"),
        "--cold-share": (options.cold_share, "all calls are cold"),
        "--slo": (options.slo, "it limits warm durations"),
        "--discard": (options.discard, "it is about warm calls"),
        "--discard-first": (options.discard_first, "it is about warm calls"),
    }
    for option, (value, why) in given.items():
        if value is not None:
            raise InputError(f"{option}: has no meaning with --cold-only: {why}")
    if options.parallel > 1:
        raise InputError(
            f"--parallel: expected 1 with --cold-only, where each call has a version of its own "
            f"published (got {options.parallel})"
        )


def _allowed_error(name: str) -> str:
    if not name or len(name) > _MOST_ERROR_CHARS or one_line(name) != name:
        raise InputError(
            "--allow-error: expected the errorType that the function gives, as in ValueError "
            f"(got {one_line(name)[:_MOST_ERROR_CHARS]!r})"
        )
    if name.startswith(_NO_ANSWERS):
        raise InputError(
            f"--allow-error: expected an error of the function itself; after {name} its "
            "environment is gone, so that it is no answer like others"
        )
    return name


def _discard_share(options: TuneOptions, plan: PlanKind) -> float | None:
    share = options.discard
    if share is None:
        return None
    if not 0 <= share <= MOST_DISCARD_SHARE:
        raise InputError(
            f"--discard: expected a share from 0 to {MOST_DISCARD_SHARE} (got {share:g})"
        )
    if options.slo is not None:
        raise InputError(
            "--discard: has no meaning with --slo: without the slowest calls, a percentile is not "
            "that of the function"
        )
    if plan != "fixed":
        raise InputError(
            "--discard: expected a fixed plan, with --sizes or --samples; an adaptive one has too "
            "few calls at a size to leave some out, and weighs outliers less by itself"
        )
    return share


def _discard_first(options: TuneOptions) -> int:
    first = 0 if options.discard_first is None else options.discard_first
    if not 0 <= first <= MOST_DISCARD_FIRST:
        raise InputError(f"--discard-first: expected 0 to {MOST_DISCARD_FIRST} (got {first})")
    return first


def _sleep_s(options: TuneOptions) -> float:
    sleep_s = 0.0 if options.sleep_s is None else options.sleep_s
    if not 0 <= sleep_s <= MOST_SLEEP_S:
        raise InputError(f"--sleep: expected 0 to {MOST_SLEEP_S:g} seconds (got {sleep_s:g})")
    if sleep_s and options.parallel > 1:
        raise InputError(
            f"--sleep: expected --parallel 1, where one call begins after the other has ended "
            f"(got --parallel {options.parallel})"
        )
    return sleep_s
