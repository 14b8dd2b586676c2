"""Which access keys there are, and whose: the sandbox's own, and temporary ones that STS gave."""

from __future__ import annotations

import hashlib
import secrets
import string
import time
from base64 import b32encode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

# What `server.client_environment` tells clients to sign with.
PERMANENT_KEY = "sandbox"
PERMANENT_SECRET = "sandbox"  # noqa: S105 - it is in the docs

_ID_CHARACTERS = string.ascii_uppercase + "234567"
# Far more than a load test's clients hold; the oldest are forgotten first.
_MOST_TEMPORARY = 10_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a key belongs to."""

    arn: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Secret:
    """What signatures of a key are made with."""

    secret_key: str
    identity: Identity


@dataclass(frozen=True, slots=True)
class Expired:
    """A temporary key whose time is over."""


@dataclass(frozen=True, slots=True)
class TemporaryCredentials:
    """What STS gives; `expires_s` is seconds since the epoch."""

    access_key_id: str
    secret_key: str
    session_token: str
    expires_s: float
    identity: Identity


class CredentialStore:
    """The keys of one account. `clock` gives seconds since the epoch."""

    def __init__(
        self,
        account_id: str,
        *,
        clock: Callable[[], float] = time.time,
        capacity: int = _MOST_TEMPORARY,
    ) -> None:
        self.account_id = account_id
        self.root = Identity(f"arn:aws:iam::{account_id}:root", account_id)
        self._clock = clock
        self._capacity = capacity
        self._temporary: OrderedDict[str, TemporaryCredentials] = OrderedDict()

    def issue(self, identity: Identity, duration_s: int) -> TemporaryCredentials:
        """New credentials that hold for `duration_s`."""
        credentials = TemporaryCredentials(
            access_key_id="ASIA" + "".join(secrets.choice(_ID_CHARACTERS) for _ in range(16)),
            secret_key=secrets.token_urlsafe(30),
            session_token=secrets.token_urlsafe(192),
            expires_s=int(self._clock()) + duration_s,
            identity=identity,
        )
        while len(self._temporary) >= self._capacity:
            self._temporary.popitem(last=False)
        self._temporary[credentials.access_key_id] = credentials
        return credentials

    def secret_of(self, access_key_id: str, session_token: str | None) -> Secret | Expired | None:
        """The secret of a key; None where there is no such key, or the token is not the key's."""
        if access_key_id == PERMANENT_KEY:
            return Secret(PERMANENT_SECRET, self.root) if session_token is None else None
        found = self._temporary.get(access_key_id)
        if found is None or session_token is None:
            return None
        # Bytes, because a client may send any text.
        if not secrets.compare_digest(found.session_token.encode(), session_token.encode()):
            return None
        if self._clock() >= found.expires_s:
            return Expired()
        return Secret(found.secret_key, found.identity)

    def role_session(self, role_arn: str, session_name: str) -> Identity:
        """Who somebody is that assumed a role."""
        role_name = role_arn.rpartition("/")[2]
        digest = b32encode(hashlib.sha256(role_arn.encode()).digest()).decode()
        return Identity(
            f"arn:aws:sts::{self.account_id}:assumed-role/{role_name}/{session_name}",
            f"AROA{digest[:17]}:{session_name}",
        )
