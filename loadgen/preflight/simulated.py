"""A plan with what becomes of each of its requests, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.outcome import Cause
from loadgen.preflight.chain import Chain
from loadgen.preflight.planned import Planned
from loadgen.preflight.simulation import ADMITTED, NOT_SENT, Met


@dataclass(frozen=True, slots=True)
class Simulated:
    """A plan with what becomes of it."""

    planned: Planned
    chain: Chain
    met: Met

    @property
    def ran(self) -> NDArray[np.bool_]:
        """Which requests are let through by all layers."""
        return np.asarray(self.met.fate == ADMITTED)

    @property
    def let_through(self) -> NDArray[np.bool_]:
        """Which requests API Gateway lets through: those that run, and those Lambda refuses."""
        return np.asarray(self.ran | (self.met.fate > len(self.chain.gates)))

    @property
    def sent(self) -> NDArray[np.bool_]:
        """Which requests are sent at all."""
        return np.asarray(self.met.fate != NOT_SENT)

    @property
    def sent_steps(self) -> NDArray[np.uint16]:
        """The steps of the requests that are sent."""
        return self.planned.step[self.sent]

    @property
    def through_steps(self) -> NDArray[np.uint16]:
        """The steps of the requests that API Gateway lets through."""
        return self.planned.step[self.let_through]

    def first_refusal_s(self, cause: Cause, name: str) -> float | None:
        """When a layer refuses for the first time, in seconds of the run."""
        numbers = [
            number + 1
            for number, layer in enumerate(self.met.layers)
            if layer.cause is cause and layer.name == name
        ]
        rows = np.flatnonzero(np.isin(self.met.fate, numbers))
        return float(self.planned.at_s[rows[0]]) if len(rows) else None
