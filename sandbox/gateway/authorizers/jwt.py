"""JWT authorizers: tokens of an OpenID Connect issuer.

The checks are those of "Controlling access to HTTP APIs with JWT authorizers" (developer guide,
2026): signature, iss, aud or client_id, exp, nbf, iat, scope or scp. AWS documents RSA signatures
only; ES256 is taken here as well.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.gateway.snapshot import JwtAuthorizer

if TYPE_CHECKING:
    from sandbox.gateway.authorizers.jose import KeySet

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256")

# Same source: how long keys are kept, and how long their fetching may take.
KEYS_KEPT_S = 7_200.0
FETCH_TIMEOUT_S = 1.5
# Issuers publish a handful of keys; anything longer is no key set.
_LONGEST_DOCUMENT = 1_000_000
_MOST_ISSUERS = 1_000

# Gives the body of an answer with status 200, or None for any other status.
Fetch = Callable[[str], Awaitable[bytes | None]]


class TokenRefused(Exception):
    """When a token does not let its bearer in; the text is what AWS says of it.

    `is_forbidden` tells a good token without the scopes (403) from a bad one (401).
    """

    def __init__(self, message: str, *, is_forbidden: bool = False) -> None:
        super().__init__(message)
        self.is_forbidden = is_forbidden


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says: each claim as the text that `$context` has for it."""

    claims: Mapping[str, str]
    scopes: tuple[str, ...] | None  # those that the route wants, None where it wants none


class KeyCache:
    """The keys of issuers, fetched when the first token of one comes."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: dict[str, tuple[float, KeySet]] = {}
        self._running: dict[str, asyncio.Task[KeySet]] = {}

    async def keys(self, issuer: str) -> KeySet:
        """The keys of an issuer; requests that come while they are fetched wait together.

        Raises:
            TokenRefused: they could not be fetched.
        """
        kept = self._kept.get(issuer)
        if kept is not None and self._clock() < kept[0]:
            return kept[1]
        task = self._running.get(issuer)
        if task is None:
            task = asyncio.create_task(self._fetch_keys(issuer))
            self._running[issuer] = task
            task.add_done_callback(lambda _: self._running.pop(issuer, None))
        # A request that is given up must not take the keys from the others.
        return await asyncio.shield(task)

    async def _fetch_keys(self, issuer: str) -> KeySet:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                document = await self._fetch(await self._keys_url(issuer))
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise TokenRefused("OIDC discovery endpoint communication error") from error
        from sandbox.gateway.authorizers.jose import key_set

        try:
            keys = key_set(json.loads(document or b""))
        except ValueError as error:
            raise TokenRefused("OIDC discovery endpoint communication error") from error
        if len(self._kept) >= _MOST_ISSUERS:
            self._kept.clear()
        self._kept[issuer] = self._clock() + KEYS_KEPT_S, keys
        return keys

    async def _keys_url(self, issuer: str) -> str:
        """Where the keys are: where the discovery document says, or at the usual place."""
        base = issuer.rstrip("/")
        document = await self._fetch(f"{base}/.well-known/openid-configuration")
        try:
            url = json.loads(document or b"{}").get("jwks_uri")
        except (ValueError, AttributeError):
            url = None
        return url if isinstance(url, str) else f"{base}/.well-known/jwks.json"


def http_fetch(client: httpx.AsyncClient) -> Fetch:
    """Fetches over HTTP with `client`."""

    async def fetch(url: str) -> bytes | None:
        response = await client.get(url, timeout=FETCH_TIMEOUT_S)
        if response.status_code != 200 or len(response.content) > _LONGEST_DOCUMENT:
            return None
        return response.content

    return fetch


async def check_token(
    token: str,
    authorizer: JwtAuthorizer,
    wanted_scopes: tuple[str, ...],
    keys: KeyCache,
    now_s: float,
) -> Claims:
    """What a token says, where it lets its bearer in at the time `now_s` (since the epoch).

    Raises:
        TokenRefused: it does not.
    """
    bare = token[7:].strip() if token[:7].lower() == "bearer " else token.strip()
    if bare.count(".") != 2:
        raise TokenRefused("invalid token")
    claims = verified_claims(bare, await keys.keys(authorizer.issuer))
    check_claims(claims, authorizer, now_s)
    granted = _check_scopes(claims, wanted_scopes)
    return Claims({name: claim_text(value) for name, value in claims.items()}, granted)


def verified_claims(token: str, keys: KeySet) -> dict[str, Any]:
    """The claims of a token whose signature is of one of `keys`.

    Raises:
        TokenRefused: it is no token, or its signature is not good.
    """
    from sandbox.gateway.authorizers.jose import signed_claims

    try:
        claims = signed_claims(token, keys, ALGORITHMS)
    except ValueError as error:
        raise TokenRefused(f"the token could not be verified: {error}") from error
    if not isinstance(claims, dict):
        raise TokenRefused("invalid token")
    return claims


def check_claims(claims: Mapping[str, Any], authorizer: JwtAuthorizer, now_s: float) -> None:
    """Checks who made the token, for whom, and when it holds.

    Raises:
        TokenRefused: one of them is wrong.
    """
    if claims.get("iss") != authorizer.issuer:
        raise TokenRefused("the token does not have a valid issuer")
    audience = claims.get("aud", claims.get("client_id"))
    for_whom = audience if isinstance(audience, list) else [audience]
    if not any(name in authorizer.audiences for name in for_whom):
        raise TokenRefused("the token does not have a valid audience")
    expires_s = _seconds(claims, "exp")
    if expires_s is None or now_s >= expires_s:
        raise TokenRefused("the token has expired")
    for name in ("nbf", "iat"):
        begins_s = _seconds(claims, name)
        if begins_s is not None and now_s < begins_s:
            raise TokenRefused("the token is not valid yet")


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefused(f"the claim {name} is no time")
    return float(value)


def _check_scopes(claims: Mapping[str, Any], wanted: tuple[str, ...]) -> tuple[str, ...] | None:
    """The wanted scopes, of which a token needs one."""
    if not wanted:
        return None
    told = claims.get("scope", claims.get("scp"))
    scopes = told.split() if isinstance(told, str) else told
    if not isinstance(scopes, list) or not any(scope in wanted for scope in scopes):
        raise TokenRefused("insufficient_scope", is_forbidden=True)
    return wanted


def claim_text(value: object) -> str:
    """A claim as events and logs have it: all are texts, and lists stand in brackets."""
    match value:
        case str():
            return value
        case list():
            return f"[{' '.join(claim_text(item) for item in value)}]"
    return json.dumps(value, separators=(",", ":"))
