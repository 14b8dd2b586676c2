"""One source of credentials for each kind of auth: what injectors are told, and until when."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from core.errors import AwsError, InputError
from loadgen.auth.apply import HEADERS, SIGV4
from loadgen.auth.tokens import jwt_claims, jwt_expiry_s, token_reader
from loadgen.profile.model import (
    ApiKeyAuth,
    Auth,
    BearerAuth,
    CognitoAuth,
    NoAuth,
    Profile,
    SigV4Auth,
)

if TYPE_CHECKING:
    from core.aws.cognito import Tokens, UserPool
    from core.aws.session import AwsSession

SessionFactory = Callable[[str | None, str | None], "AwsSession"]  # region, AWS profile

# How long before its end a token is replaced; and how often at most anything is asked for.
_BEFORE_END_S = 60.0
SHORTEST_REFRESH_S = 5.0
# botocore renews credentials when they have 15 minutes left (2026). Asked for then and each
# minute afterwards, they are new long before their end.
_AWS_BEFORE_END_S = 14 * 60.0
_AWS_REFRESH_S = 60.0
# AWS's own keys have 20 and more characters, its secrets 40. Shorter ones are made up for
# emulators ("test", "sandbox"), are no secret, and would blank out ordinary words.
_SHORTEST_AWS_SECRET_CHARS = 16

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_REGION_IN_HOST = re.compile(
    r"\.(?:execute-api|lambda-url)\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws|on\.aws)"
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """Credentials as injectors are told, the secrets in them, and when to fetch them again."""

    credentials: dict[str, Any] = field(repr=False)
    secrets: frozenset[str] = field(repr=False)
    refresh_at_s: float | None = None  # seconds since the epoch; None: they stay the same
    expires_at_s: float | None = None


class Provider(Protocol):
    """Fetches the credentials of one auth."""

    def fetch(self, now_s: float) -> Fetched:
        """Credentials that are good at `now_s`, in seconds since the epoch.

        Raises:
            InputError, AwsError: when there are none.
        """
        ...


def provider_of(
    auth: Auth,
    profile: Profile,
    base_dir: Path,
    session_factory: SessionFactory,
    stopping: threading.Event,
) -> Provider:
    """The source of credentials for `auth`."""
    if isinstance(auth, SigV4Auth):
        return _AwsCredentials(auth, profile, session_factory)
    if isinstance(auth, CognitoAuth):
        return _CognitoLogin(auth, profile, session_factory)
    if isinstance(auth, BearerAuth):
        return _Bearer(auth, base_dir, stopping)
    return _Fixed(auth)


class _Fixed:
    """No auth, or an API key."""

    def __init__(self, auth: NoAuth | ApiKeyAuth) -> None:
        self._auth = auth

    def fetch(self, now_s: float) -> Fetched:
        if isinstance(self._auth, NoAuth):
            return Fetched({"kind": HEADERS, "headers": []}, frozenset())
        value = self._auth.value
        return Fetched(_header(self._auth.header, "", value, "value"), frozenset({value}))


class _Bearer:
    """A token that somebody else makes."""

    def __init__(self, auth: BearerAuth, base_dir: Path, stopping: threading.Event) -> None:
        self._auth = auth
        self._read = token_reader(auth, base_dir, stopping)

    def fetch(self, now_s: float) -> Fetched:
        token = self._read()
        expires_at_s = jwt_expiry_s(token)
        return Fetched(
            _header(self._auth.header, self._auth.prefix, token, "token"),
            frozenset({token}),
            self._refresh_at_s(now_s, expires_at_s),
            expires_at_s,
        )

    def _refresh_at_s(self, now_s: float, expires_at_s: float | None) -> float | None:
        if self._auth.value is not None:
            return None
        if self._auth.refresh_s is not None:
            return now_s + max(SHORTEST_REFRESH_S, self._auth.refresh_s)
        return None if expires_at_s is None else _before(expires_at_s, now_s)


class _AwsCredentials:
    """The credentials of the AWS settings, for signing."""

    def __init__(self, auth: SigV4Auth, profile: Profile, session_factory: SessionFactory) -> None:
        self._make_session = session_factory
        self._identity = (_signing_region(auth, profile), auth.profile or profile.aws.profile)
        self._session: AwsSession | None = None
        self._service = _signing_service(auth, profile)

    def fetch(self, now_s: float) -> Fetched:
        if self._session is None:
            self._session = self._make_session(*self._identity)
        found, region = self._session.frozen_credentials(), self._session.region
        refresh_at_s = None
        if found.expires_at_s is not None:
            refresh_at_s = max(now_s + _AWS_REFRESH_S, found.expires_at_s - _AWS_BEFORE_END_S)
        elif found.token is not None:
            # Temporary ones that another tool wrote into a file: it may write new ones.
            refresh_at_s, self._session = now_s + _AWS_REFRESH_S, None
        told = {
            "kind": SIGV4,
            "access_key": found.access_key,
            "secret_key": found.secret_key,
            "token": found.token,
            "region": region,
            "service": self._service,
        }
        given = (found.access_key, found.secret_key, found.token or "")
        secrets = frozenset(one for one in given if len(one) >= _SHORTEST_AWS_SECRET_CHARS)
        return Fetched(told, secrets, refresh_at_s, found.expires_at_s)


class _CognitoLogin:
    """A user of a Cognito user pool who logs in once and then renews the login."""

    def __init__(
        self, auth: CognitoAuth, profile: Profile, session_factory: SessionFactory
    ) -> None:
        self._auth = auth
        self._make_session = session_factory
        self._identity = (auth.region or profile.aws.region, profile.aws.profile)
        self._pool: UserPool | None = None
        self._tokens: Tokens | None = None

    def fetch(self, now_s: float) -> Fetched:
        self._tokens = tokens = self._new_tokens()
        token = tokens.id if self._auth.token == "id" else tokens.access  # noqa: S105
        given = (
            self._auth.password,
            self._auth.client_secret,
            tokens.id,
            tokens.access,
            tokens.refresh,
        )
        expires_at_s = now_s + tokens.lifetime_s
        return Fetched(
            _header(self._auth.header, self._auth.prefix, token, "token"),
            frozenset(one for one in given if one),
            _before(expires_at_s, now_s),
            expires_at_s,
        )

    def _new_tokens(self) -> Tokens:
        if self._pool is None:
            self._pool = self._make_pool()
        if self._tokens is not None and self._tokens.refresh is not None:
            name = jwt_claims(self._tokens.access).get("username")
            try:
                return self._pool.renew(self._tokens, name or self._auth.username)
            except AwsError:
                pass  # the refresh token has ended or is revoked: the password still works
        return self._pool.log_in()

    def _make_pool(self) -> UserPool:
        from core.aws.cognito import Login, UserPool

        auth = self._auth
        login = Login(auth.client_id, auth.username, auth.password, auth.client_secret)
        return UserPool(self._make_session(*self._identity), login)


def _before(expires_at_s: float, now_s: float) -> float:
    return max(now_s + SHORTEST_REFRESH_S, expires_at_s - _BEFORE_END_S)


def _header(name: str, prefix: str, value: str, what: str) -> dict[str, Any]:
    if not _HEADER_NAME.fullmatch(name):
        raise InputError(f"header: must be the name of an HTTP header (got '{name}')")
    if not value:
        raise InputError(f"{what}: is empty")
    if not _HEADER_VALUE.fullmatch(prefix + value):
        raise InputError(
            f"{what}: cannot stand in an HTTP header; there are other characters than visible "
            "ASCII in it, or spaces around it"
        )
    return {"kind": HEADERS, "headers": [[name, prefix + value]]}


def _signing_region(auth: SigV4Auth, profile: Profile) -> str | None:
    """The region of the API, as far as the profile says; None: that of the AWS settings."""
    api = profile.target.api
    in_host = None
    if profile.target.url is not None:
        in_host = _REGION_IN_HOST.search(urlsplit(profile.target.url).hostname or "")
    return auth.region or (api and api.region) or (in_host and in_host[1]) or profile.aws.region


def _signing_service(auth: SigV4Auth, profile: Profile) -> str:
    if "service" in auth.model_fields_set:
        return auth.service
    target = profile.target
    is_function = target.function_url is not None or ".lambda-url." in (target.url or "")
    return "lambda" if is_function else auth.service
