"""What is known about a run besides its samples; collected while it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.aws.prices import LambdaPrice, PriceTable
from core.errors import ExitCode
from tuner.payload import Payload
from tuner.plan import Plan
from tuner.target import Target


@dataclass(slots=True)
class RunFacts:
    """One run: what it works on, what it was told, and how it ended.

    `error_code` and `stop_code` are set when an error or a signal kept the plan from being done,
    `left_behind` when not all that the run changed could be undone: samples are good all the same.
    """

    run_id: str
    target: Target
    plan: Plan
    payload: Payload
    price: LambdaPrice
    price_table: PriceTable
    region: str
    account: str | None
    endpoint: str | None
    command: Sequence[str]
    started: datetime
    refused_sizes: Mapping[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    stop_code: ExitCode | None = None
    error_code: ExitCode | None = None
    left_behind: str | None = None


def recorded_command(words: Sequence[str]) -> list[str]:
    """`words` of a command line for the record, without the payload, which may hold secrets.

    Bytes that are no UTF-8, such as those of an odd file name, become U+FFFD.
    """
    shown: list[str] = []
    hide_next = False
    for word in words:
        if hide_next:
            shown.append("<payload>")
        elif word.startswith("--payload-json="):
            shown.append("--payload-json=<payload>")
        else:
            shown.append(word.encode(errors="surrogateescape").decode(errors="replace"))
        hide_next = word == "--payload-json" and not hide_next
    return shown
