"""How strictly throttles are kept: exactly, or as a service of many machines keeps them.

AWS calls its limits targets, applied on a best-effort basis. What that looks like from outside
depends on how they are kept, so a tool that measures limits has to be tried against several ways:

- exact: one bucket, all requests.
- `shards`: K machines without any exchange. Each has 1/K of the rate and of the burst (but holds at
  least one token where the burst is one or more). With `spread=random` each request goes to any
  machine; with `spread=hashed` all requests of one connection go to the same.
- `shards` with `sync_ms`: K machines that keep one bucket together. Each decides by a copy of it
  that is renewed every `sync_ms`; in between it knows of its own requests only. The bucket may fall
  below zero, so an overshoot is paid back before anything else is admitted.
- `background_rps`: requests of others in the account, which take tokens from the account's bucket
  where there are any, at the times of a Poisson process or at equal distances.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import InputError

EXACT = "exact"


class Enforcement(BaseModel):
    """The way in which all throttles are kept; quotas are always exact.

    `seed` makes the spreading and the background traffic repeatable.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    shards: Annotated[int, Field(ge=1, le=64)] = 1
    spread: Literal["random", "hashed"] = "random"
    sync_ms: Annotated[float, Field(gt=0, le=60_000, allow_inf_nan=False)] | None = None
    background_rps: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] = 0.0
    background: Literal["poisson", "steady"] = "poisson"
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _refuse_what_has_no_effect(self) -> Self:
        if self.shards == 1:
            if self.sync_ms is not None:
                raise ValueError("sync_ms: needs shards of 2 or more (got shards=1)")
            if self.spread == "hashed":
                raise ValueError("spread: hashed needs shards of 2 or more (got shards=1)")
        return self

    @classmethod
    def parse(cls, text: str) -> Enforcement:
        """The enforcement in a text such as "shards=4,spread=hashed,background_rps=2000".

        "exact" is the default one.

        Raises:
            InputError: the text is none; the message names the key and the value.
        """
        if text.strip() == EXACT:
            return cls()
        settings: dict[str, object] = {}
        for part in text.split(","):
            key, equals, value = (piece.strip() for piece in part.partition("="))
            if not equals or not key:
                raise InputError(
                    f"enforcement: could not read {part.strip()!r}",
                    hint=f"write {EXACT}, or key=value pairs with commas: shards=4,sync_ms=500",
                )
            if key in settings:
                raise InputError(f"enforcement: {key}: is given twice (got {text!r})")
            settings[key] = value
        return cls.from_mapping(settings)

    @classmethod
    def from_mapping(cls, settings: Mapping[str, object]) -> Enforcement:
        """The enforcement with these settings; texts are read as numbers where one is needed.

        Raises:
            InputError: a setting is unknown or out of range; the message names it and its value.
        """
        try:
            return cls.model_validate(dict(settings))
        except ValidationError as error:
            raise InputError(f"enforcement: {_first_problem(error)}") from error

    def __str__(self) -> str:
        """The text that `parse` reads."""
        changed = self.model_dump(exclude_defaults=True)
        pairs = [f"{key}={_shown(value)}" for key, value in changed.items()]
        return ",".join(pairs) or EXACT


def _shown(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{key}: there is no such setting (there are {', '.join(Enforcement.model_fields)})"
    return f"{key}: {problem['msg']} (got {problem['input']!r})"
