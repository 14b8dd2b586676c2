"""Which requests are traced, and the header that tells those that follow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

# The default rule: the first request of each second, and 5 % of all others ("Configuring sampling
# rules", X-Ray developer guide, 2026). For Lambda it cannot be changed.
RESERVOIR_PER_S = 1
RATE = 0.05

_ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_PARENT = re.compile(r"[0-9a-f]{16}")


class Sampler:
    """Decides for what begins a trace, for each service by itself."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._seconds: dict[str, int] = {}

    def draw(self, service: str, now_s: float) -> bool:
        """Whether a request to `service` is traced."""
        second = int(now_s)
        if self._seconds.get(service) != second:
            self._seconds[service] = second
            return True
        return self._rng.random() < RATE


@dataclass(frozen=True, slots=True)
class TraceHeader:
    """X-Amzn-Trace-Id; what a caller did not say is None."""

    root: str | None = None
    parent: str | None = None
    sampled: bool | None = None

    @classmethod
    def parse(cls, text: str | None) -> TraceHeader:
        """The header of a caller; what is not well-formed counts as not said."""
        fields = dict(
            part.strip().partition("=")[::2] for part in (text or "").split(";") if "=" in part
        )
        root, parent = fields.get("Root", ""), fields.get("Parent", "")
        return cls(
            root if _ROOT.fullmatch(root) else None,
            parent if _PARENT.fullmatch(parent) else None,
            {"1": True, "0": False}.get(fields.get("Sampled", "")),
        )


@dataclass(frozen=True, slots=True)
class Tracing:
    """Where a request or an invocation stands in a trace that is recorded.

    `id` names its segment, `child_id` the parent of what it calls.
    """

    root: str
    parent: str | None
    id: str
    child_id: str


def header_text(root: str, parent: str, *, sampled: bool) -> str:
    """The header for what is called next."""
    return f"Root={root};Parent={parent};Sampled={int(sampled)}"
