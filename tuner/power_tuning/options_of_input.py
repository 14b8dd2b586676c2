"""From an input of aws-lambda-power-tuning to the options of `tune`; pure.

Options that the command line gives go before those of the file. Where an option is not what the
parameter was, one note says how they differ.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.errors import InputError
from reports.figures import listed_sizes
from tuner.options import MAX_COLD_SAMPLES, TuneOptions
from tuner.power_tuning.input_file import DEFAULT_POWER_VALUES_MB, PowerTuningInput


def with_input(
    options: TuneOptions, given: PowerTuningInput, *, parallel_given: bool
) -> TuneOptions:
    """`options`, with what the file says where the command line says nothing.

    `parallel_given` tells `--parallel 1` from none. What is not checked here is checked with all
    other options.

    Raises:
        InputError: when neither names a function.
    """
    mapping = _Mapping(options, given, parallel_given=parallel_given)
    for step in _STEPS:
        step(mapping)
    return replace(options, **mapping.changes, notes=(*options.notes, *mapping.notes))


@dataclass(slots=True)
class _Mapping:
    """What the command line and the file say, and what has come of it so far."""

    options: TuneOptions
    given: PowerTuningInput
    parallel_given: bool = field(kw_only=True)
    changes: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def has(self, *names: str) -> bool:
        """Whether any of these options is set, by the command line or by now."""
        return any(_is_set(self.value(name)) for name in names)

    def value(self, name: str) -> Any:
        """An option as it is by now."""
        return self.changes.get(name, getattr(self.options, name))

    def take(self, name: str, value: object) -> None:
        """Sets an option, unless the command line has it or the file does not."""
        if _is_set(value) and not self.has(name):
            self.changes[name] = value

    def note(self, key: str, text: str) -> None:
        """Says of one parameter what differs here."""
        self.notes.append(f"{key} of {Path(self.given.origin).name}: {text}")

    @property
    def is_fixed(self) -> bool:
        """Whether the plan is a fixed one, by now."""
        return self.has("samples", "sizes") and not self.has("test_run", "cold_only")


def _is_set(value: object) -> bool:
    """Whether an option says anything; 0 does."""
    return value is not None and value is not False and value != ()


def _function(mapping: _Mapping) -> None:
    if mapping.options.function:
        return
    if mapping.given.lambda_arn is None:
        raise InputError(
            f"{mapping.given.origin}: lambdaARN: missing, expected the ARN of a function",
            hint="or give FUNCTION on the command line",
        )
    if mapping.options.sandbox:
        raise InputError(
            "--power-tuning: expected FUNCTION beside it with --sandbox, which does not have "
            f"{mapping.given.lambda_arn}"
        )
    mapping.changes["function"] = mapping.given.lambda_arn
    mapping.take("region", mapping.given.region)


def _kind(mapping: _Mapping) -> None:
    """What kind of run it is, which decides what else has a meaning."""
    given = mapping.given
    mapping.take("test_run", given.dry_run)
    if given.only_cold_starts and mapping.has("test_run"):
        mapping.note("onlyColdStarts", "without meaning in a test run")
        return
    mapping.take("cold_only", given.only_cold_starts)


def _sizes(mapping: _Mapping) -> None:
    given = mapping.given
    sizes = given.power_values_mb or DEFAULT_POWER_VALUES_MB
    if mapping.has("sizes", "min_memory_mb", "max_memory_mb"):
        return
    if mapping.has("thorough"):
        mapping.changes.update(min_memory_mb=min(sizes), max_memory_mb=max(sizes))
        mapping.note("powerValues", "with --thorough only the smallest and the largest are taken")
        return
    mapping.take("sizes", ",".join(str(size) for size in sizes))
    if given.power_values_mb is None:
        mapping.note(
            "powerValues",
            f"missing, so {listed_sizes(sizes)}, the default of its stack; yours may be deployed "
            "with others",
        )


def _samples(mapping: _Mapping) -> None:
    num = mapping.given.num
    if num is None or mapping.has("samples"):
        return
    if mapping.has("thorough", "test_run"):
        option = "--thorough" if mapping.has("thorough") else "a test run"
        mapping.note("num", f"has no meaning with {option}, which has its own number of calls")
        return
    if mapping.has("cold_only") and num > MAX_COLD_SAMPLES:
        raise InputError(
            f"{mapping.given.origin}: num: expected at most {MAX_COLD_SAMPLES} with cold starts "
            f"only (got {num})",
            hint="--samples goes before it",
        )
    mapping.take("samples", num)
    if not mapping.has("cold_only"):
        mapping.note(
            "num",
            f"{num} warm samples at each size; power tuning counts cold, failed and lost calls in",
        )


def _payload(mapping: _Mapping) -> None:
    given = mapping.given
    if mapping.has("payload_file", "payload_text", "payloads_file"):
        return
    if given.payload_s3 is not None:
        mapping.take("payload_file", given.payload_s3)
    elif given.weighted:
        items = ", ".join(
            f'{{"payload": {text}, "weight": {json.dumps(weight)}}}'
            for text, weight in given.weighted
        )
        mapping.take("payloads_text", f"[{items}]")
        mapping.note(
            "payload",
            "all sizes get the same shuffled sequence; power tuning sends one payload after the "
            "other, the first ones to cold environments",
        )
    else:
        mapping.take("payload_text", given.payload)
        if not given.has_payload:
            mapping.note("payload", "missing, so null is sent, as power tuning does")


def _parallel(mapping: _Mapping) -> None:
    if not mapping.given.parallel_invocation or mapping.parallel_given:
        return
    if mapping.has("cold_only"):
        mapping.note("parallelInvocation", "cold calls are made one after the other")
        return
    # A plan with fewer sizes has fewer at the same time.
    mapping.changes["parallel"] = len(set(mapping.given.power_values_mb or DEFAULT_POWER_VALUES_MB))
    mapping.note(
        "parallelInvocation",
        "sizes are invoked at the same time, but one size never twice at once: most of such calls "
        "would be cold",
    )


def _strategy(mapping: _Mapping) -> None:
    given = mapping.given
    if mapping.has("test_run"):
        return
    if given.strategy is not None and not mapping.has("objective", "slo", "knee"):
        mapping.take("objective", given.strategy)
    if mapping.value("objective") != "balanced":
        if given.balanced_weight is not None:
            mapping.note("balancedWeight", "only used with the strategy balanced")
        return
    mapping.take("weight", given.balanced_weight)
    mapping.note(
        "strategy",
        "balanced weighs per cents of cost and duration; power tuning weighs them as parts of the "
        "largest values tested",
    )


def _discard(mapping: _Mapping) -> None:
    share = mapping.given.discard_top_bottom
    if mapping.options.discard is not None or mapping.has("cold_only", "test_run"):
        return
    if share is None:
        mapping.note(
            "discardTopBottom",
            "missing; its default of 0.2 is not applied: a typical duration leaves out a tenth at "
            "each end",
        )
    elif mapping.has("slo") or not mapping.is_fixed:
        mapping.note("discardTopBottom", "only used in a fixed plan without --slo")
    else:
        mapping.changes["discard"] = share


def _calls(mapping: _Mapping) -> None:
    given = mapping.given
    mapping.take("allow_errors", given.allowed_exceptions)
    mapping.take("pre", given.pre_processor_arn)
    # Its event is the output alone, which other functions of ours get with the payload.
    post = given.post_processor_arn
    mapping.take("post", post and f"lambda-output:{post}")
    if not given.sleep_between_runs_ms or mapping.options.sleep_s is not None:
        return
    if mapping.value("parallel") > 1:
        mapping.note("sleepBetweenRunsMs", "only used where one call follows the other")
        return
    mapping.changes["sleep_s"] = given.sleep_between_runs_ms / 1000


def _apply(mapping: _Mapping) -> None:
    given = mapping.given
    alias = given.auto_optimize_alias
    if not given.auto_optimize:
        if alias is not None:
            mapping.note("autoOptimizeAlias", "only used with autoOptimize")
        return
    if mapping.options.apply is not None:
        return
    if mapping.has("test_run"):
        mapping.note("autoOptimize", "a test run recommends no size that could be applied")
        return
    mapping.changes["apply"] = "latest" if alias is None else f"alias={alias}"
    mapping.note(
        "autoOptimize", "only a run that passes is applied, after a question unless --yes is given"
    )


_STEPS = (
    _function,
    _kind,
    _sizes,
    _samples,
    _payload,
    _parallel,
    _strategy,
    _discard,
    _calls,
    _apply,
)
