"""A network between clients and the data plane: every request takes time to come, and to go back.

The loopback interface has next to no delay. With one, limits are asked when a request has come, in
an order that is not that of sending, and its answer is seen later than it was given.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from typing import Annotated, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import InputError
from sandbox.http import Answer, Handler, Request, Response

_Milliseconds = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]


class Delays(BaseModel):
    """The delay of one way: lognormal with this mean and standard deviation.

    Each way of each request is drawn by itself. `seed` makes the draws repeatable.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    delay_ms: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
    jitter_ms: _Milliseconds = 0.0
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _refuse_what_nobody_means(self) -> Self:
        if self.jitter_ms > 10 * self.delay_ms:
            raise ValueError(
                f"jitter_ms: must be within ten times delay_ms of {self.delay_ms:g} "
                f"(got {self.jitter_ms:g})"
            )
        return self

    @classmethod
    def from_mapping(cls, settings: Mapping[str, object]) -> Delays:
        """The delays with these settings.

        Raises:
            InputError: a setting is missing, unknown or out of range; the message names it.
        """
        try:
            return cls.model_validate(dict(settings))
        except ValidationError as error:
            raise InputError(f"network: {_first_problem(error)}") from error

    def draws(self) -> Callable[[], float]:
        """Gives one delay after the other, in seconds."""
        mean_s = self.delay_ms / 1000
        if not self.jitter_ms:
            return lambda: mean_s
        variance = math.log1p((self.jitter_ms / self.delay_ms) ** 2)
        rng = Random(self.seed)
        return partial(rng.lognormvariate, math.log(mean_s) - variance / 2, math.sqrt(variance))

    def __str__(self) -> str:
        """What a person reads."""
        return f"{self.delay_ms:g} ms each way, jitter {self.jitter_ms:g} ms"


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"{key}: is needed"
    if problem["type"] == "extra_forbidden":
        return f"{key}: there is no such setting (there are {', '.join(Delays.model_fields)})"
    return f"{key}: {problem['msg']} (got {problem['input']!r})"


class Plane(Protocol):
    """What stands behind the network; requests are given to `entrance`."""

    entrance: Handler

    def serve(self, request: Request) -> Answer:
        """Answers without any delay."""


class Network:
    """Puts delays before a plane, and takes them away; without them it is not in the way at all."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self.delays: Delays | None = None

    def change(self, delays: Delays | None) -> None:
        """Delays requests so from now on; None: not any more."""
        self.delays = delays
        serve = self._plane.serve
        self._plane.entrance = serve if delays is None else _far(serve, delays)

    def document(self) -> dict[str, object]:
        """The delays as a JSON value."""
        if self.delays is None:
            return {"text": "off", "delay_ms": 0.0, "jitter_ms": 0.0}
        return {"text": str(self.delays), **self.delays.model_dump()}


def _far(serve: Handler, delays: Delays) -> Handler:
    """A handler that is as far away as `delays` say.

    A connection has one request under way at a time, so that its answers keep their order.
    """
    draw_s = delays.draws()

    async def answer(request: Request) -> Response:
        await asyncio.sleep(draw_s())
        early = request.answer_early
        loop = asyncio.get_running_loop()
        request.answer_early = lambda response: _call_later(loop, draw_s(), early, response)
        given = serve(request)
        response = given if isinstance(given, Response) else await given
        await asyncio.sleep(draw_s())
        return response

    return answer


def _call_later(
    loop: asyncio.AbstractEventLoop,
    delay_s: float,
    answer: Callable[[Response], None],
    response: Response,
) -> None:
    loop.call_later(delay_s, answer, response)
