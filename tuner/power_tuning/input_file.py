"""The input of aws-lambda-power-tuning's state machine, read from a file; keys of its 4.4.

Stricter than power tuning, which passes over keys that it does not know, cuts values to what it
allows, and finds a wrong strategy only after all calls are paid for.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, cast

from core.aws.limits import MEMORY_MAX_MB, MEMORY_MIN_MB
from core.errors import InputError
from tuner.plan import MAX_SAMPLES
from tuner.power_tuning.json_file import read_json_text

OPTION = "--power-tuning"
# What its stack is deployed with unless told otherwise (template.yml).
DEFAULT_POWER_VALUES_MB = (128, 256, 512, 1024, 1536, 3008)
ALL_POWER_VALUES_MB = tuple(range(128, 3009, 64))

_ARN = re.compile(r"arn:[^:]+:lambda:(?P<region>[^:]+):\d{12}:function:[A-Za-z0-9_-]{1,140}")
_FEWEST_RUNS = 5
_MOST_SLEEP_MS = 900_000
_MOST_KEY_CHARS = 40


@dataclass(frozen=True, slots=True)
class PowerTuningInput:
    """What the file says; None for what it does not say.

    `payload` is the JSON text that power tuning sends. `weighted` are such texts with weights, in
    which case it is not used; `payload_s3` goes before both.
    """

    origin: str
    lambda_arn: str | None
    num: int | None
    power_values_mb: tuple[int, ...] | None
    payload: str
    has_payload: bool
    weighted: tuple[tuple[str, float], ...]
    payload_s3: str | None
    parallel_invocation: bool
    strategy: str | None
    balanced_weight: float | None
    auto_optimize: bool
    auto_optimize_alias: str | None
    pre_processor_arn: str | None
    post_processor_arn: str | None
    discard_top_bottom: float | None
    only_cold_starts: bool
    sleep_between_runs_ms: float | None
    dry_run: bool
    allowed_exceptions: tuple[str, ...]

    @property
    def region(self) -> str | None:
        """The region that the ARN names."""
        match = None if self.lambda_arn is None else _ARN.fullmatch(self.lambda_arn)
        return match.group("region") if match else None


def read_input_file(path: Path) -> PowerTuningInput:
    """The input in a file.

    Raises:
        InputError: naming the file, the key, its value and what was expected.
    """
    try:
        text = read_json_text(path)
    except OSError as error:
        raise InputError(f"{OPTION}: {path}: could not read it: {error.strerror}") from error
    return parse_input(text, str(path))


def parse_input(text: str, origin: str) -> PowerTuningInput:
    """The input in `text`; `origin` names it in errors.

    Raises:
        InputError: naming the key, its value and what was expected.
    """
    values = _object(text, origin)
    for key, value in values.items():
        _check(key, value, origin)
    given = {key: value for key, value in values.items() if value is not None}
    weighted = _weighted(given.get("payload"), origin)
    sizes = given.get("powerValues")
    return PowerTuningInput(
        origin=origin,
        lambda_arn=given.get("lambdaARN"),
        num=int(given["num"]) if "num" in given else None,
        power_values_mb=_sizes(sizes) if sizes else None,
        payload=sent_text(None if weighted else given.get("payload")),
        has_payload="payload" in given,
        weighted=weighted,
        payload_s3=given.get("payloadS3"),
        parallel_invocation=given.get("parallelInvocation", False),
        strategy=given.get("strategy"),
        balanced_weight=given.get("balancedWeight"),
        auto_optimize=given.get("autoOptimize", False),
        auto_optimize_alias=given.get("autoOptimizeAlias"),
        pre_processor_arn=given.get("preProcessorARN"),
        post_processor_arn=given.get("postProcessorARN"),
        discard_top_bottom=given.get("discardTopBottom"),
        only_cold_starts=given.get("onlyColdStarts", False),
        sleep_between_runs_ms=given.get("sleepBetweenRunsMs"),
        dry_run=given.get("dryRun", False),
        allowed_exceptions=tuple(given.get("allowedExceptions", ())),
    )


def sent_text(payload: object) -> str:
    """What power tuning sends for a payload: null for what is empty, JSON in a string as it is."""
    if payload is None or payload is False or payload == 0 or payload == "":
        return "null"
    if isinstance(payload, str):
        try:
            json.loads(payload, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            return json.dumps(payload)
        return payload
    return json.dumps(payload)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not in JSON")


def _object(text: str, origin: str) -> dict[str, Any]:
    def refuse(constant: str) -> NoReturn:
        raise InputError(f"{origin}: expected JSON, got {constant}, which JSON does not have")

    try:
        values = json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        where = f"{origin}:{error.lineno}:{error.colno}"
        raise InputError(f"{where}: expected JSON, got: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{origin}: expected JSON, got: {error}") from error
    if not isinstance(values, dict):
        raise InputError(
            f"{origin}: expected a JSON object, the state machine's input (got {_short(values)})"
        )
    return cast("dict[str, Any]", values)


def _sizes(value: str | list[int | str]) -> tuple[int, ...]:
    return ALL_POWER_VALUES_MB if isinstance(value, str) else tuple(int(item) for item in value)


def _weighted(payload: object, origin: str) -> tuple[tuple[str, float], ...]:
    """Texts and weights, where each item of a list has both."""
    if not isinstance(payload, list) or not payload:
        return ()
    if not all(isinstance(item, dict) and {"payload", "weight"} <= item.keys() for item in payload):
        return ()
    for number, item in enumerate(payload):
        where = f"payload[{number}]"
        if not _is_number(item["weight"]) or not item["weight"] > 0:
            _refuse(origin, f"{where}.weight", item["weight"], "a number above 0")
        if not item["payload"] and not isinstance(item["payload"], dict | list):
            # Power tuning takes the whole list for one payload then, and says nothing.
            _refuse(origin, f"{where}.payload", item["payload"], "a payload that is not empty")
    return tuple((sent_text(item["payload"]), float(item["weight"])) for item in payload)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object, least: int, most: int) -> bool:
    """Whether it is a whole number within limits, also as a text of digits."""
    if isinstance(value, str):
        return value.isascii() and value.isdigit() and len(value) < 10 and (
            least <= int(value) <= most
        )  # fmt: skip
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_arn(value: object) -> bool:
    return isinstance(value, str) and _ARN.fullmatch(value) is not None


def _is_share(value: object, most: float) -> bool:
    return _is_number(value) and 0 <= cast("float", value) <= most


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _are_sizes(value: object) -> bool:
    if isinstance(value, list):
        return all(_is_whole(item, MEMORY_MIN_MB, MEMORY_MAX_MB) for item in value)
    return value == "ALL"


_Rule = tuple[str, Callable[[object], bool]]
_FLAG: _Rule = ("true or false", _is_flag)
_PLAIN_ARN: _Rule = ("the ARN of a function without a version or alias", _is_arn)

_RULES: Mapping[str, _Rule] = {
    "lambdaARN": _PLAIN_ARN,
    "num": (
        f"a whole number from {_FEWEST_RUNS} to {MAX_SAMPLES}",
        lambda value: _is_whole(value, _FEWEST_RUNS, MAX_SAMPLES),
    ),
    "powerValues": (
        f'"ALL" or a list of whole MB between {MEMORY_MIN_MB} and {MEMORY_MAX_MB}',
        _are_sizes,
    ),
    "payload": ("any JSON", lambda value: True),
    "payloadS3": (
        "s3://bucket/key",
        lambda value: isinstance(value, str) and bool(re.fullmatch(r"s3://[^/]+/.+", value)),
    ),
    "parallelInvocation": _FLAG,
    "strategy": (
        "cost, speed or balanced",
        lambda value: value in ("cost", "speed", "balanced"),
    ),
    "balancedWeight": (
        "a number from 0 (speed) to 1 (cost)",
        lambda value: _is_share(value, 1),
    ),
    "autoOptimize": _FLAG,
    "autoOptimizeAlias": ("the name of an alias", _is_text),
    "preProcessorARN": _PLAIN_ARN,
    "postProcessorARN": _PLAIN_ARN,
    "discardTopBottom": ("a number from 0 to 0.4", lambda value: _is_share(value, 0.4)),
    "onlyColdStarts": _FLAG,
    "sleepBetweenRunsMs": (
        f"a number of milliseconds from 0 to {_MOST_SLEEP_MS}",
        lambda value: _is_share(value, _MOST_SLEEP_MS),
    ),
    "includeOutputResults": _FLAG,
    "dryRun": _FLAG,
    "disablePayloadLogs": _FLAG,
    "allowedExceptions": (
        "a list of error types",
        lambda value: isinstance(value, list) and all(_is_text(item) for item in value),
    ),
}
PARAMETERS = tuple(_RULES)


def _check(key: str, value: object, origin: str) -> None:
    if key not in _RULES:
        near = difflib.get_close_matches(key, PARAMETERS, n=1, cutoff=0.6)
        raise InputError(
            # Without its value, which may be a payload.
            f"{origin}: {key[:_MOST_KEY_CHARS]}: not a parameter of aws-lambda-power-tuning",
            hint=f"did you mean {near[0]}?" if near else f"it has {', '.join(PARAMETERS)}",
        )
    expected, accepts = _RULES[key]
    if value is not None and not accepts(value):
        _refuse(origin, key, value, expected)


def _refuse(origin: str, key: str, value: object, expected: str) -> NoReturn:
    raise InputError(f"{origin}: {key}: expected {expected} (got {_short(value)})")


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
