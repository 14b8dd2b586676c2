"""The credentials of a whole profile, in the process that starts the injectors.

Everything secret is fetched here and handed to injectors over their stdin. A renewal that does not
work keeps what there is and is tried again; only the very first fetch can stop a run.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import AwsError, CredentialsError, InputError, ToolError
from loadgen.auth.given import given_secrets
from loadgen.auth.keys import auth_keys, place_of
from loadgen.auth.providers import (
    SHORTEST_REFRESH_S,
    Fetched,
    Provider,
    SessionFactory,
    provider_of,
)
from loadgen.profile.model import Auth, Profile
from loadgen.redact import Secrets

_LONGEST_RETRY_S = 60.0

Credentials = dict[str, dict[str, Any]]


@dataclass(slots=True)
class _Slot:
    """One auth; keys whose auth is the same share it, and so its login."""

    place: str
    provider: Provider
    fetched: Fetched | None = None
    refresh_at_s: float | None = None
    failures: int = 0
    complaint: str = ""


class Sources:
    """Fetches and renews credentials.

    `session_factory(region, profile)` makes an `AwsSession`; it is called only where one is needed.
    `warn` is told, once, of each renewal that did not work. `clock` gives seconds since the epoch.
    """

    def __init__(
        self,
        profile: Profile,
        base_dir: Path,
        session_factory: SessionFactory,
        *,
        warn: Callable[[str], None] = logging.getLogger(__name__).warning,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._warn = warn
        self._clock = clock
        self._stopping = threading.Event()
        self._renewing = threading.Lock()
        self._secrets = given_secrets(profile)
        self._slots: dict[str, _Slot] = {}
        made: dict[Auth, _Slot] = {}
        for key, auth in auth_keys(profile).items():
            if auth not in made:
                made[auth] = _Slot(
                    place_of(profile, key),
                    provider_of(auth, profile, base_dir, session_factory, self._stopping),
                )
            self._slots[key] = made[auth]
        self._each = tuple(made.values())

    def current(self) -> Credentials:
        """The credentials by auth key, as `Assignment.credentials` carries them.

        Raises:
            InputError, CredentialsError: when some cannot be fetched for the first time.
        """
        with self._renewing:
            for slot in self._each:
                if slot.fetched is None:
                    self._fetch_first(slot)
        return self._credentials()

    def refresh(self) -> Credentials:
        """The credentials by auth key, after renewing those that are due."""
        with self._renewing:
            for slot in self._each:
                if slot.refresh_at_s is not None and slot.refresh_at_s <= self._clock():
                    self._renew(slot)
        return self._credentials()

    def next_refresh_s(self, now_s: float | None = None) -> float | None:
        """How many seconds from now on nothing has to be renewed; None: never."""
        now_s = self._clock() if now_s is None else now_s
        due = [one.refresh_at_s for one in self._each if one.refresh_at_s is not None]
        return max(0.0, min(due) - now_s) if due else None

    def ending_before(self, end_s: float) -> tuple[str, ...]:
        """A sentence for each credential that ends before `end_s` and that nothing renews."""
        return tuple(
            f"{slot.place}: the token ends before the run does, and is not renewed"
            for slot in self._each
            if slot.fetched is not None
            and slot.refresh_at_s is None
            and slot.fetched.expires_at_s is not None
            and slot.fetched.expires_at_s < end_s
        )

    def secret_values(self) -> frozenset[str]:
        """All that must never be written, of before and after each renewal."""
        return self._secrets

    def cancel(self) -> None:
        """Ends a renewal that waits for a command. Nothing is renewed afterwards."""
        self._stopping.set()

    def _credentials(self) -> Credentials:
        return {
            key: {**slot.fetched.credentials, "secrets": sorted(slot.fetched.secrets)}
            for key, slot in self._slots.items()
            if slot.fetched is not None
        }

    def _fetch_first(self, slot: _Slot) -> None:
        try:
            self._fetch(slot)
        except ToolError as error:
            raise self._located(error, slot.place) from error
        fetched = slot.fetched
        if fetched and fetched.expires_at_s is not None and fetched.expires_at_s <= self._clock():
            self._warn(f"{slot.place}: the token has ended already")

    def _renew(self, slot: _Slot) -> None:
        try:
            self._fetch(slot)
        except ToolError as error:
            if self._stopping.is_set():
                return
            wait_s = min(_LONGEST_RETRY_S, SHORTEST_REFRESH_S * 2**slot.failures)
            slot.refresh_at_s = self._clock() + wait_s
            slot.failures = min(slot.failures + 1, 10)
            complaint = f"{slot.place}: could not renew, the old one stays: {self._hidden(error)}"
            if complaint != slot.complaint:
                slot.complaint = complaint
                self._warn(complaint)

    def _fetch(self, slot: _Slot) -> None:
        fetched = slot.provider.fetch(self._clock())
        self._secrets |= fetched.secrets
        slot.fetched = fetched
        slot.refresh_at_s = fetched.refresh_at_s
        slot.failures = 0
        slot.complaint = ""

    def _located(self, error: ToolError, place: str) -> ToolError:
        message = f"{place}: {self._hidden(error)}"
        if isinstance(error, InputError):
            return InputError(message)
        code = error.code if isinstance(error, AwsError) else None
        return CredentialsError(message, code=code)

    def _hidden(self, error: ToolError) -> str:
        return Secrets(self._secrets).hide(str(error))
