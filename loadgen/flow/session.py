"""One run of a flow: its rows, what it captured, its cookies."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pydantic import JsonValue

from loadgen.answer import Answer
from loadgen.failures import Reason


class Session:
    """What the steps of one run of a flow share.

    `failed`: later steps lack data, stop here. `reason` is that of the last failed check.
    """

    __slots__ = (
        "captured",
        "cookies",
        "failed",
        "injector",
        "iteration",
        "reason",
        "rng",
        "rows",
    )

    reason: Reason

    def __init__(
        self,
        rows: Mapping[str, Mapping[str, JsonValue]],
        rng: random.Random,
        injector: int,
        iteration: int,
    ) -> None:
        self.rows = rows
        self.rng = rng
        self.injector = injector
        self.iteration = iteration
        self.captured: dict[str, JsonValue] = {}
        self.cookies: dict[str, str] = {}
        self.failed = False

    def keep_cookies(self, answer: Answer) -> None:
        """Takes over the cookies that an answer sets or deletes.

        A flow talks to one host and is short, so path, domain and a later expiry do not matter.
        """
        for name, value in answer.headers():
            if name.lower() == "set-cookie":
                self._keep(value)

    def _keep(self, line: str) -> None:
        pair, *attributes = line.split(";")
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            return
        if _is_over(attributes):
            self.cookies.pop(name.strip(), None)
        else:
            self.cookies[name.strip()] = value.strip()


def _is_over(attributes: list[str]) -> bool:
    """Whether the attributes of a cookie delete it; Max-Age goes before Expires (RFC 6265)."""
    values: dict[str, str] = {}
    for attribute in attributes:
        key, _, value = attribute.partition("=")
        values[key.strip().lower()] = value.strip()
    if "max-age" in values:
        age = values["max-age"]
        return age == "0" or age.startswith("-")
    if "expires" not in values:
        return False
    try:
        end = parsedate_to_datetime(values["expires"])
    except ValueError:
        return False
    return end.replace(tzinfo=end.tzinfo or UTC) <= datetime.now(UTC)
