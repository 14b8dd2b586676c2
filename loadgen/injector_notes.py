"""What injectors note of a run that its judgement has to know: the words, and the way back."""

from __future__ import annotations

from collections.abc import Iterable

_WAITED = "requests waited for a free connection"
_USED_UP = "its data is used up"


def waited_note(max_connections: int) -> str:
    """Requests began late because all connections were in use."""
    return (
        f"{_WAITED}, which is in their start lag and response time: "
        f"http.max_connections is {max_connections:,}"
    )


def used_up_note(scenario: str, then: str) -> str:
    """A feed that stops has ended; `then` says what does not go on."""
    return f"scenario {scenario}: {_USED_UP}; {then}"


def burst_note(phase: str, took_ms: float) -> str:
    """How long "at once" was."""
    return f"phase {phase}: an injector took {took_ms:.1f} ms to begin all that was due at once"


def says_waited(notes: Iterable[str]) -> bool:
    """Whether requests had to wait for a connection."""
    return any(note.startswith(_WAITED) for note in notes)


def says_used_up(notes: Iterable[str]) -> bool:
    """Whether a feed ended before the run."""
    return any(f": {_USED_UP}; " in note for note in notes)
