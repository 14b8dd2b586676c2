"""How strictly throttles are kept: exactly, or as a service of many machines keeps them.

AWS calls its limits targets, applied on a best-effort basis. What that looks like from outside
depends on how they are kept, so a tool that measures limits has to be tried against several ways:

- exact: one bucket, all requests.
- `shards`: K machines without any exchange. Each has 1/K of the rate and of the burst (but holds at
  least one token where the burst is one or more). With `spread=random` each request goes to any
  machine; with `spread=hashed` all requests of one connection go to the same. With `uneven=U` the
  parts are not equal: they go in equal steps from 1 - U to 1 + U times 1/K, while requests are
  spread evenly all the same.
- `shards` with `sync_ms`: K machines that keep one bucket together. Each decides by a copy of it
  that is renewed every `sync_ms`; in between it knows of its own requests only. With `debt=kept`
  the bucket may fall below zero, so an overshoot is paid back before anything else is admitted;
  with `debt=forgiven` it begins anew at zero, so more than the rate is admitted for ever.
- `window_ms`: a fixed window instead of a bucket. In each, aligned to the clock, rate x window
  requests are admitted, and no more whatever the burst is.
- `adaptive=F`: the rate sinks under overload. After each `adaptive_ms` in which more than a tenth
  of the requests was refused it is multiplied by F, down to a fifth of the limit; after each
  without, it is divided by F, up to the limit.
- `background_rps`: requests of others, which take tokens from each throttle of the level
  `background_on` where there are any, at the times of a Poisson process or at equal distances.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import InputError
from sandbox.gateway.limits.levels import Level

EXACT = "exact"

BackgroundLevel = Literal["account", "stage", "method", "key"]
_BACKGROUND: Mapping[BackgroundLevel, tuple[Level, ...]] = {
    "account": ("account",),
    "stage": ("stage",),
    "method": ("method", "route"),
    "key": ("usage-plan", "usage-plan-method"),
}


class Enforcement(BaseModel):
    """The way in which all throttles are kept; quotas are always exact.

    `seed` makes the spreading and the background traffic repeatable.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    shards: Annotated[int, Field(ge=1, le=64)] = 1
    spread: Literal["random", "hashed"] = "random"
    uneven: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = 0.0
    sync_ms: Annotated[float, Field(gt=0, le=60_000, allow_inf_nan=False)] | None = None
    debt: Literal["kept", "forgiven"] = "kept"
    window_ms: Annotated[float, Field(ge=10, le=60_000, allow_inf_nan=False)] | None = None
    adaptive: Annotated[float, Field(ge=0.1, lt=1, allow_inf_nan=False)] | None = None
    adaptive_ms: Annotated[float, Field(ge=100, le=60_000, allow_inf_nan=False)] = 2000.0
    background_rps: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] = 0.0
    background: Literal["poisson", "steady"] = "poisson"
    background_on: BackgroundLevel = "account"
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _refuse_what_has_no_effect(self) -> Self:
        if self.shards == 1:
            self._need_shards()
        if self.sync_ms is None and self.debt == "forgiven":
            raise ValueError("debt: forgiven needs sync_ms (got debt=forgiven)")
        if self.sync_ms is not None and self.uneven:
            raise ValueError(
                f"uneven: machines with sync_ms share one bucket (got uneven={self.uneven:g})"
            )
        if self.window_ms is not None and self.shards > 1:
            raise ValueError(
                f"window_ms: a window is kept by one machine (got shards={self.shards})"
            )
        return self

    def _need_shards(self) -> None:
        if self.sync_ms is not None:
            raise ValueError("sync_ms: needs shards of 2 or more (got shards=1)")
        if self.spread == "hashed":
            raise ValueError("spread: hashed needs shards of 2 or more (got shards=1)")
        if self.uneven:
            raise ValueError("uneven: needs shards of 2 or more (got shards=1)")

    def has_background(self, level: Level) -> bool:
        """Whether throttles of `level` see requests of others too."""
        return self.background_rps > 0 and level in _BACKGROUND[self.background_on]

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
