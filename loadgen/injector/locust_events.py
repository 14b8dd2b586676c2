"""Locust's events, typed: Locust itself leaves them without."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from locust.event import EventHook, Events


def new_events() -> Events:
    """Events that nobody listens to yet."""
    make = cast(Callable[[], Events], Events)
    return make()


def fire(hook: EventHook, **arguments: object) -> None:
    """Calls all that listen to `hook`."""
    call = cast(Callable[..., None], hook.fire)
    call(**arguments)
