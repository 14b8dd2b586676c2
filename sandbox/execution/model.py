"""Modelled functions: what one declares about itself, and the durations that follow from it.

A function with the environment variable SANDBOX_MODEL (JSON) has no process; the sandbox answers
for it with the durations, memory and failures of the model. Thousands of them fit on a laptop,
and since the truth is known, they show whether a measurement finds it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    ValidationError,
)

from core.errors import InputError
from sandbox.execution.cpu import cpu_share

MODEL_VARIABLE = "SANDBOX_MODEL"

_PYDANTIC_PARTS = ("table", "work", "[key]")

FailureKind = Literal["oom", "timeout", "error"]

Milliseconds = Annotated[float, Field(ge=0, le=900_000, allow_inf_nan=False)]
MemoryMb = Annotated[int, Field(ge=1, le=10_240)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Work(_Strict):
    """A duration made of waiting and of CPU work; the CPU work depends on memory.

    `wait_ms + cpu_ms / min(threads, vCPUs)`, with one vCPU at 1,769 MB.
    """

    cpu_ms: Milliseconds
    wait_ms: Milliseconds = 0.0
    threads: Annotated[int, Field(ge=1, le=64)] = 1


class Noise(_Strict):
    """Durations scatter by the factor `exp(log_sigma * z)`.

    z is standard normal, or Student's t with `dof` degrees of freedom for heavy tails. Either
    way its median is 0, so the noise leaves the median of durations where the model has it.
    Below one degree of freedom, durations would be anything.
    """

    log_sigma: Annotated[float, Field(ge=0, le=3, allow_inf_nan=False)]
    dof: Annotated[float, Field(ge=1, le=1000, allow_inf_nan=False)] | None = None


def _form_of(duration: object) -> str:
    """Which of its two forms a duration is written in; keys that are sizes make it a table."""
    if isinstance(duration, Work):
        return "work"
    keys = duration.keys() if isinstance(duration, dict) else ()
    return "work" if any(not str(key).isdigit() for key in keys) else "table"


Table = Annotated[
    dict[MemoryMb, Annotated[float, Field(gt=0, le=900_000, allow_inf_nan=False)]],
    Field(min_length=1),
]
Duration = Annotated[
    Annotated[Table, Tag("table")] | Annotated[Work, Tag("work")], Discriminator(_form_of)
]


class Model(_Strict):
    """All that a modelled function declares.

    Of the calls that `failure` does not let fail, `error_share` raise an error. Versions with
    SnapStart start in `restore_ms` in the place of `init_ms`. What is printed after the REPORT
    comes from an extension.
    """

    duration_ms: Duration
    noise: Noise = Noise(log_sigma=0.0)
    init_ms: Milliseconds = 100.0
    restore_ms: Milliseconds = 300.0
    memory_used_mb: MemoryMb = 64
    fails_below_mb: MemoryMb | None = None
    failure: FailureKind | None = None
    error_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    prints_after_report_bytes: Annotated[int, Field(ge=0, le=100_000)] = 0
    hold: bool = False
    seed: int = 0
    response: JsonValue = None

    def failure_at(self, memory_mb: int) -> FailureKind | None:
        """How a call at this size fails; None when it succeeds.

        Without `fails_below_mb`, a `failure` happens at all sizes; without `failure`, sizes
        below the limit run out of memory.
        """
        if self.fails_below_mb is None:
            return self.failure
        return (self.failure or "oom") if memory_mb < self.fails_below_mb else None


def parse_model(text: str) -> Model:
    """The model in the text of SANDBOX_MODEL.

    Raises:
        InputError: the text is not a model; the message names the key and the value.
    """
    try:
        return Model.model_validate_json(text)
    except ValidationError as error:
        raise InputError(f"{MODEL_VARIABLE}: {_first_problem(error)}") from error


def true_duration_ms(model: Model, memory_mb: int) -> float:
    """The median duration at a memory size, which a good measurement finds.

    A table is interpolated on log-log axes, a straight line for a function that halves its time
    with twice the memory, and is flat outside its points.
    """
    duration = model.duration_ms
    if isinstance(duration, Work):
        vcpus = min(float(duration.threads), cpu_share(memory_mb))
        return duration.wait_ms + duration.cpu_ms / vcpus
    points = sorted(duration.items())
    if memory_mb <= points[0][0]:
        return points[0][1]
    for (low_mb, low_ms), (high_mb, high_ms) in pairwise(points):
        if memory_mb <= high_mb:
            position = math.log(memory_mb / low_mb) / math.log(high_mb / low_mb)
            return low_ms * math.exp(position * math.log(high_ms / low_ms))
    return points[-1][1]


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    # Pydantic's names for the two forms and for keys are not in what the user wrote.
    where = ".".join(str(part) for part in problem["loc"] if part not in _PYDANTIC_PARTS)
    value = repr(problem["input"])
    shown = value if len(value) <= 60 else value[:57] + "..."
    return f"{where}: {problem['msg']} (got {shown})" if where else problem["msg"]
