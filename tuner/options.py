"""The options of `tune`, and the check of all of them before AWS is asked for anything."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from pathlib import Path

from core.aws.always_on import ServerPrices, bundled_server_prices, read_server_prices
from core.aws.prices import PriceTable, bundled_prices, read_price_file
from core.errors import InputError
from reports.document import PlanKind
from reports.exports import check_exports
from tuner.apply.destination import NO_SHIFT_OPTIONS, Destination, ShiftOptions, check_apply
from tuner.budget import Limits
from tuner.call_rules import CallRules, check_calls
from tuner.hook_kinds.asked import NO_HOOKS_ASKED, HooksAsked, check_hook_options
from tuner.objective import Goal, check_objective
from tuner.payload_choice import read_payloads
from tuner.payload_mix import PayloadMix
from tuner.plan import DEFAULT_COLD_ONLY_SAMPLES, DEFAULT_SAMPLES, MAX_SAMPLES
from tuner.sizes import SizesAsked, parse_sizes
from tuner.target import split_function
from tuner.tenancy import check_tenant_id
from tuner.usage import UsageAsked, check_usage

# Whole in every reader of JSON; numpy's generators take no negative seeds.
MAX_SEED = 2**53 - 1
MAX_COLD_SAMPLES = 50
# With three payloads, one of a tenth of the weight is met once in five calls in place of ten.
_EVEN_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class TuneOptions:
    """What the command line says, not yet checked; None for what it does not say.

    `payloads_text` is a file of weighted payloads that came with other options, and `notes` what a
    user should know of how these were taken.
    """

    function: str
    payload_file: str | None = None
    payload_text: str | None = None
    sizes: str | None = None
    min_memory_mb: int | None = None
    max_memory_mb: int | None = None
    samples: int | None = None
    thorough: bool = False
    parallel: int = 1
    max_invocations: int | None = None
    max_usd: float | None = None
    max_seconds: float | None = None
    objective: str | None = None
    weight: float | None = None
    slo: str | None = None
    knee: str | None = None
    cold_share: str | None = None
    cold_samples: int | None = None
    requests_per_month: str | None = None
    seed: int | None = None
    region: str | None = None
    profile: str | None = None
    sandbox: bool = False
    price_file: Path | None = None
    server_price_file: Path | None = None
    arch: str | None = None
    arch_function: str | None = None
    exports: tuple[str, ...] = ()
    runs: Path = Path("runs")
    dry_run: bool = False
    yes: bool = False
    tenant_id: str | None = None
    pre: str | None = None
    post: str | None = None
    hook_timeout_s: float | None = None
    skip_trial: bool = False
    payloads_file: str | None = None
    allow_errors: tuple[str, ...] = ()
    discard: float | None = None
    discard_first: int | None = None
    cold_only: bool = False
    sleep_s: float | None = None
    test_run: bool = False
    keep_outputs: bool = False
    chart: bool = False
    payloads_text: str | None = None
    notes: tuple[str, ...] = ()
    apply: str | None = None
    shift: ShiftOptions = NO_SHIFT_OPTIONS


@dataclass(frozen=True, slots=True)
class TuneRequest:
    """The options, checked before anything is asked of AWS.

    `samples` are those at each size of a fixed plan; an adaptive one has no such number.
    `cold_samples` is 1 where nobody asked for more than the first call at each size.
    """

    options: TuneOptions
    plan: PlanKind
    sizes_mb: SizesAsked | None
    samples: int
    payloads: PayloadMix
    calls: CallRules
    goal: Goal
    limits: Limits
    usage: UsageAsked
    cold_samples: int
    prices: PriceTable
    server_prices: ServerPrices
    seed: int
    hooks: HooksAsked = NO_HOOKS_ASKED
    apply: Destination | None = None


def check_options(options: TuneOptions) -> TuneRequest:
    """`options`, with everything checked that needs no AWS; but S3 where the payload is there.

    Raises:
        InputError: naming the option, its value and what was expected.
        AwsError: when S3 cannot be read.
    """
    split_function(options.function)
    _check_arch(options)
    check_tenant_id(options.tenant_id)
    goal = check_goal(options.objective, options.weight, options.slo, options.knee)
    plan = _plan_kind(options)
    calls = check_calls(options, plan)
    samples = _samples(options, plan)
    cold_samples = 1 if options.cold_samples is None else options.cold_samples
    _check_whole("--samples", samples, MAX_COLD_SAMPLES if plan == "cold" else MAX_SAMPLES)
    _check_whole("--parallel", options.parallel, 1000)
    _check_whole("--cold-samples", cold_samples, MAX_COLD_SAMPLES)
    if options.seed is not None and not 0 <= options.seed <= MAX_SEED:
        raise InputError(f"--seed: expected 0 to {MAX_SEED} (got {options.seed})")
    usage = check_usage(options.cold_share, options.requests_per_month)
    if options.sandbox:
        _check_sandbox(options, usage)
    check_exports(options.exports)
    apply = check_apply(options.apply, options.shift, sandbox=options.sandbox)
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    return TuneRequest(
        options=options,
        plan=plan,
        sizes_mb=None if options.sizes is None else parse_sizes(options.sizes),
        samples=samples,
        payloads=read_payloads(options, seed, even_share=_even_share(plan, goal)),
        calls=calls,
        goal=goal,
        limits=_limits(options),
        usage=usage,
        cold_samples=cold_samples,
        prices=read_price_file(options.price_file) if options.price_file else bundled_prices(),
        server_prices=check_server_prices(options.server_price_file, usage),
        seed=seed,
        hooks=check_hook_options(options.pre, options.post, options.hook_timeout_s),
        apply=apply,
    )


def check_server_prices(path: Path | None, usage: UsageAsked) -> ServerPrices:
    """The prices of machines to compare a month with.

    Raises:
        InputError: naming the file, the key and what was expected.
    """
    if path is None:
        return bundled_server_prices()
    if usage.requests is None:
        raise InputError(
            "--server-price-file: machines are compared with the bill of a month "
            "(--requests-per-month is not given)"
        )
    return read_server_prices(path)


def check_goal(
    objective: str | None, weight: float | None, slo: str | None, knee: str | None
) -> Goal:
    """What the answer is to be best in.

    Raises:
        InputError: naming the option, its value and what was expected.
    """
    # Not at the top: few runs need them.
    from tuner.knee import parse_knee
    from tuner.slo import parse_slo

    return check_objective(
        objective,
        weight,
        None if slo is None else parse_slo(slo),
        None if knee is None else parse_knee(knee),
    )


def _plan_kind(options: TuneOptions) -> PlanKind:
    fixed = [
        option
        for option, value in (("--samples", options.samples), ("--sizes", options.sizes))
        if value is not None
    ]
    special: dict[PlanKind, bool] = {"test": options.test_run, "cold": options.cold_only}
    asked = [kind for kind, is_asked in special.items() if is_asked]
    if len(asked) > 1:
        raise InputError("--cold-only: has no meaning with --test-run, which only tries sizes")
    if asked and options.thorough:
        option = "--test-run" if options.test_run else "--cold-only"
        raise InputError(f"--thorough: has no meaning with {option}, which has a plan of its own")
    if asked:
        return asked[0]
    if not options.thorough:
        return "fixed" if fixed else "adaptive"
    if fixed:
        raise InputError(f"--thorough: has no meaning with {fixed[0]}, which makes a fixed plan")
    return "thorough"


def _even_share(plan: PlanKind, goal: Goal) -> float:
    """The share of the calls that payloads get alike.

    Percentiles are those of all calls together, so that these must come by weight.
    """
    few_calls = plan in ("adaptive", "thorough") and goal.slo is None
    return _EVEN_SHARE if few_calls else 0.0


def _samples(options: TuneOptions, plan: PlanKind) -> int:
    """The samples at each size of a fixed plan."""
    usual = {"cold": DEFAULT_COLD_ONLY_SAMPLES, "test": 1}
    return usual.get(plan, DEFAULT_SAMPLES) if options.samples is None else options.samples


def _check_arch(options: TuneOptions) -> None:
    if options.arch not in (None, "both"):
        raise InputError(
            f"--arch: expected both, a function has its own otherwise (got {options.arch!r})"
        )
    if options.arch is None and options.arch_function is not None:
        raise InputError("--arch-function: only used with --arch both")
    if options.arch is None:
        return
    if options.arch_function is None:
        raise InputError(
            "--arch both: expected the function of the other architecture with --arch-function",
            hint="a second code package has to be deployed as a function of its own first",
        )
    split_function(options.arch_function, "--arch-function")


def _limits(options: TuneOptions) -> Limits:
    if options.max_invocations is not None:
        _check_whole("--max-invocations", options.max_invocations, 1_000_000)
    for option, value in (("--max-usd", options.max_usd), ("--max-seconds", options.max_seconds)):
        if value is not None and not (value > 0 and math.isfinite(value)):
            raise InputError(f"{option}: expected a number above 0 (got {value})")
    return Limits(options.max_invocations, options.max_usd, options.max_seconds)


def _check_sandbox(options: TuneOptions, usage: UsageAsked) -> None:
    if options.profile:
        raise InputError("--profile: has no meaning with --sandbox, which needs no account")
    if usage.cold_share == "auto":
        raise InputError("--cold-share: expected a share with --sandbox, which has no traffic")
    if usage.requests == "auto":
        raise InputError(
            "--requests-per-month: expected a number with --sandbox, which has no traffic"
        )


def _check_whole(option: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise InputError(f"{option}: expected 1 to {most} (got {value})")
