"""What the hooks of a run have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.interrupt import StopRequest
from tuner.hook_kinds.asked import Step
from tuner.hook_kinds.process import Patience, ProcessGroups


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The function that is tuned, how long a hook may take, and the environment of programs."""

    function: str
    timeout_s: float
    environment: Mapping[str, str] = field(repr=False)
    stop: StopRequest = field(default_factory=StopRequest)
    groups: ProcessGroups = field(default_factory=ProcessGroups)

    def patience(self, step: Step) -> Patience:
        """How long to wait. A stop ends what comes before a call; after one, it is tidied up."""
        return Patience(self.timeout_s, lambda: step == "pre" and self.stop.requested)
