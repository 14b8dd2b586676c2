"""A profile that may have faults, and which of its values must not be shown."""

from __future__ import annotations

from dataclasses import dataclass

import core.draft
from core.located_yaml import Step

_SECRET_KEYS = frozenset({"value", "password", "client_secret"})


@dataclass(frozen=True, slots=True)
class Draft(core.draft.Draft):
    """What can be read of a profile; what is under `auth` may be a secret."""

    def is_hidden(self, *path: Step) -> bool:
        """Whether the value at a path must not be shown: it is or may be a secret."""
        return path in self.written or (
            "auth" in path and (path[-1] in _SECRET_KEYS or path[-1] == "auth")
        )
