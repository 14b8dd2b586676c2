"""The result document of `reports doctor`: what a history says of its own alarms.

Shares are between 0 and 1; changes are shares of the typical value, 0.12 for 12 % more.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reports.history.record import SeriesId

DoctorVerdict = Literal["pass", "inconclusive"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Alarms(_Part):
    """Nights with an alarm that nothing explains, of those that were judged."""

    nights: float = Field(description="a fraction where confirmation was drawn")
    a_month: float
    a_month_interval: tuple[float, float] = Field(description="95 %, exact (Clopper-Pearson)")


class DatedStep(_Part):
    """A step that was taken out before nights were replayed."""

    series: SeriesId
    night: str
    night_id: str
    change_share: float
    accepted: bool


class FigureHealth(_Part):
    """How one figure differs from night to night, and what that lets the gate find."""

    series: SeriesId
    unit: str
    nights: int
    typical: float
    requests: int = Field(description="of a typical night, or calls")
    night_sd_share: float = Field(description="standard deviation from night to night")
    sampling_share: float | None = Field(
        description="part of the variance that more requests would lower; null: not known"
    )
    bad_nights_share: float
    alike: float = Field(description="correlation of neighbouring nights")
    floor_share: float
    noise_limit_share: float | None = Field(
        description="what noise alone asks for, in a night, before it is called worse"
    )
    floor_binds_share: float | None = Field(
        description="of nights, those whose floor asks for more"
    )
    smallest_first_night: float | None = Field(
        description="the smallest step that its first night finds with 80 % power"
    )
    smallest_two_nights: float | None = Field(description="the same by the night after")
    with_four_times_requests: float | None = Field(
        default=None, description="smallest_two_nights, if nights had four times the requests"
    )
    requests_for_one_percent: int | None = Field(
        default=None, description="a night whose own standard error is 1 % needs so many"
    )
    with_control_sd_share: float | None = Field(
        default=None, description="night_sd_share with what the other endpoints do divided out"
    )
    suspected_nights: int


class DoctorDocument(_Part):
    """What `reports doctor` found, complete."""

    schema_version: Literal[1] = 1
    kind: Literal["doctor"] = "doctor"
    verdict: DoctorVerdict
    exit_code: int
    errors: list[str]
    plan: str
    history: str
    branch: str | None
    seed: int
    nights: int = Field(description="nights of which a figure counts")
    nights_missing: int = Field(description="so many more are needed; 0: there are enough")
    first_night: str | None
    last_night: str | None
    judged_nights: int = 0
    nights_a_month: float
    family_error: float
    window: int
    min_nights: int
    reruns: int = Field(description="0: the next night confirms")
    suspected: Alarms | None = None
    failed: Alarms | None = None
    reruns_recorded: int = Field(default=0, description="suspicions that recorded reruns decided")
    reruns_drawn: int = Field(default=0, description="those whose reruns were drawn")
    figures: list[FigureHealth] = []
    steps: list[DatedStep] = []
    advice: list[str] = []
    history_problems: list[str] = []
