"""What happens around each invocation: a hook before it, one after it, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.errors import ToolError

if TYPE_CHECKING:
    from tuner.sample import Sample


class HookError(ToolError):
    """When a hook does not do its work: the run ends, and everything is put back.

    `sample` is what was measured before a hook after its call went wrong: it is paid for.
    """

    sample: Sample | None = None


class HookStopped(ToolError):
    """When a request to stop came while a hook ran before its call: the call is not made."""


class Hook(Protocol):
    """Something of the user's that runs before or after a call."""

    def run(self, payload: bytes, output: bytes | None, memory_mb: int) -> bytes | None:
        """What it says, None when it says nothing.

        Raises:
            HookError: when it does not do its work.
            HookStopped: when it was ended because somebody asked to stop.
        """


@dataclass(frozen=True, slots=True)
class Hooks:
    """The hooks of a run; `pre` runs before each call, `post` after each that was begun."""

    pre: Hook | None = None
    post: Hook | None = None

    def before(self, payload: bytes, memory_mb: int) -> bytes:
        """Runs `pre`; gives what is to be sent: what it says, else `payload` as it is.

        Raises:
            HookError, HookStopped: as `Hook.run` does.
        """
        if self.pre is None:
            return payload
        said = self.pre.run(payload, None, memory_mb)
        return payload if said is None else said

    def after(self, payload: bytes, output: bytes | None, memory_mb: int) -> None:
        """Runs `post` with what was sent and what came back, None when nothing did.

        Raises:
            HookError: as `Hook.run` does.
        """
        if self.post is not None:
            self.post.run(payload, output, memory_mb)


NO_HOOKS = Hooks()
