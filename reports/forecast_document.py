"""What another rate would mean for an API, from what a load run found: the document of a forecast.

Rates are of requests a second in the mix of the run. None is what nobody knows; `notes` say why.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ColdExposure(_Part):
    """Which calls would meet a cold start at a rate."""

    least_share: float = Field(description="in a steady state, if environments stay an hour idle")
    most_share: float = Field(description="the same, if they stay five minutes")
    new_environments: int = Field(description="started when today's rate becomes this one at once")
    init_ms: float | None = Field(description="what a cold call waits for, the median of the run")


class ToProvision(_Part):
    """Provisioned concurrency for a rate, and its price at list prices."""

    environments: int
    spillover_share: float = Field(description="of calls that find none free, at most")
    usd_per_month: float | None = Field(description="for what is configured, all month")
    saved_usd_per_month: float | None = Field(
        description="of the duration of calls, if the rate lasts all month"
    )


class FunctionForecast(_Part):
    """A function at the asked rate."""

    function: str
    calls_rps: float
    duration_ms: float | None
    duration_source: str
    mean_concurrency: float | None = Field(description="rate x duration (Little's law)")
    p99_concurrency: int | None = Field(description="not exceeded in 99 % of the time, for Poisson")
    cold: ColdExposure | None
    provision: ToProvision | None


class LimitUse(_Part):
    """A limit at a rate; it binds from `used_share` 1 on."""

    layer: str
    name: str
    used_share: float
    binds_at_rps: float | None = Field(description="the rate of all requests at which it binds")
    detail: str


class QuotaLasts(_Part):
    """A quota that a rate uses up before its period ends; what was used of it is not counted."""

    name: str
    quota: int
    period: str
    lasts_s: float


class RateForecast(_Part):
    """All limits at one rate, the tightest first."""

    rate_rps: float
    times_today: float
    binds: LimitUse | None = Field(description="the first limit that binds; None: none does")
    nearest: LimitUse | None = Field(description="the tightest one, whether it binds or not")
    quota: QuotaLasts | None = Field(description="the one that is used up first within its period")


class ForecastDocument(_Part):
    """A forecast."""

    schema_version: Literal[1] = 1
    kind: Literal["load-forecast"] = "load-forecast"
    name: str
    verdict: Literal["pass"] = "pass"
    exit_code: int = 0
    errors: list[str] = []
    run: str
    today_rps: float
    rate_rps: float
    functions: list[FunctionForecast]
    limits: list[LimitUse] = Field(description="at the asked rate, the tightest first")
    rates: list[RateForecast]
    notes: list[str]
    tool_version: str
