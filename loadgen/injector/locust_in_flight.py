"""Requests of Locust's HTTP clients that are on their way: its events tell only those that ended.

A user who is killed in the middle of a request leaves no event, but the API has seen the request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from locust import User
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession, LocustUserAgent
from locust.user.task import LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

Key = tuple[str, str]  # method and name


class InFlight:
    """Requests without an end, by method and name; clients of other protocols are not seen."""

    def __init__(self) -> None:
        self.open: Counter[Key] = Counter()

    def watch(self) -> None:
        """Counts the requests of all clients of this process from now on."""
        for client in (HttpSession, FastHttpSession):
            client.request = self._counted(client.request)  # type: ignore[method-assign]
        LocustUserAgent._conversation_str = _no_transcript  # type: ignore[assignment]
        User.stop = _stop_between_requests(User.stop)  # type: ignore[method-assign]

    @property
    def total(self) -> int:
        """How many there are now."""
        return self.open.total()

    def _counted(self, request: Callable[..., Any]) -> Callable[..., Any]:
        def counted(
            session: Any, method: Any, url: Any, name: Any = None, *rest: Any, **more: Any
        ) -> Any:
            key = (str(method), str(name or session.request_name or url))
            self.open[key] += 1
            try:
                answer = request(session, method, url, name, *rest, **more)
            except Exception:
                self.open[key] -= 1
                raise
            # Not where the user is killed, or a timeout of its own ends the request.
            self.open[key] -= 1
            return answer

        return counted


def _no_transcript(agent: object, url: object, response: Any, **_: object) -> str:
    """For an answer that is an error the client writes a text of the whole exchange.

    Nobody reads it, and where a body is no UTF-8 it raises, so that no event tells of the request.
    """
    response.content  # noqa: B018 # reads the body, as the text did
    return ""


def _stop_between_requests(stop: Callable[..., Any]) -> Callable[..., Any]:
    """Locust kills who waits, a little later: by then a user may have woken and begun again."""

    def stop_user(user: User, force: bool = False) -> Any:  # noqa: FBT001, FBT002 # as Locust has it
        if user._state != LOCUST_STATE_WAITING:
            return stop(user, force=force)
        user._state = LOCUST_STATE_STOPPING
        return stop(user, force=True)

    return stop_user
