"""JWT authorizers: whose tokens are good, for whom, and when."""

from __future__ import annotations

import asyncio
import hmac
import json
from base64 import urlsafe_b64encode

import httpx
import pytest
from authorizer_rig import NOW_S
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from sandbox.gateway.authorizers.jwt import (
    KEYS_KEPT_S,
    KeyCache,
    TokenRefused,
    check_token,
    claim_text,
    http_fetch,
)
from sandbox.gateway.snapshot import JwtAuthorizer

ISSUER = "https://issuer.example/pool"
AUTHORIZER = JwtAuthorizer(
    "auth1", "tokens", ("$request.header.Authorization",), ISSUER, ("orders", "other")
)
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}, auto_kid=False)
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"}, auto_kid=False)
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa"}, auto_kid=False)
CLAIMS = {
    "iss": ISSUER,
    "aud": "orders",
    "sub": "me",
    "exp": int(NOW_S) + 60,
    "nbf": int(NOW_S),
    "iat": int(NOW_S),
    "scope": "read write",
}


class Issuer:
    """Answers as the web server of an issuer, and counts."""

    def __init__(self, *, discovery=True, keys=(RSA, EC)):
        self.asked = []
        self.pages = {f"{ISSUER}/keys" if discovery else f"{ISSUER}/.well-known/jwks.json": keys}
        if discovery:
            page = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
            self.pages[f"{ISSUER}/.well-known/openid-configuration"] = page

    async def fetch(self, url):
        self.asked.append(url)
        await asyncio.sleep(0)
        page = self.pages.get(url)
        if isinstance(page, tuple):
            page = KeySet(list(page)).as_dict(private=False)
        return None if page is None else json.dumps(page).encode()


def token(claims=CLAIMS, key=RSA, alg="RS256", **header):
    return jwt.encode({"alg": alg, "kid": key.kid, **header}, claims, key, algorithms=[alg])


def check(text, *, scopes=(), keys=None, now_s=NOW_S):
    keys = keys or KeyCache(Issuer().fetch)
    return asyncio.run(check_token(text, AUTHORIZER, scopes, keys, now_s))


@pytest.mark.parametrize("form", ["{}", "Bearer {}", "bearer {}"])
@pytest.mark.parametrize(
    ("key", "alg"),
    [(RSA, "RS256"), (RSA, "RS512"), (EC, "ES256")],
    ids=["RS256", "RS512", "ES256"],
)
def test_good_tokens(form, key, alg):
    found = check(form.format(token(key=key, alg=alg)))
    assert found.scopes is None
    assert found.claims == {
        **{name: str(CLAIMS[name]) for name in ("exp", "nbf", "iat")},
        "iss": ISSUER,
        "aud": "orders",
        "sub": "me",
        "scope": "read write",
    }


def without(*names):
    return {name: value for name, value in CLAIMS.items() if name not in names}


@pytest.mark.parametrize(
    "claims",
    [
        {**CLAIMS, "aud": ["x", "other"]},
        {**without("aud"), "client_id": "orders"},
        without("nbf", "iat", "scope"),
        {**CLAIMS, "exp": NOW_S + 0.5},
    ],
    ids=["one of many", "client_id", "no times", "just so"],
)
def test_other_good_claims(claims):
    assert check(token(claims)).claims["sub"] == "me"


@pytest.mark.parametrize(
    ("claims", "part"),
    [
        ({**CLAIMS, "iss": "https://issuer.example"}, "issuer"),
        (without("iss"), "issuer"),
        ({**CLAIMS, "aud": "someone"}, "audience"),
        ({**CLAIMS, "aud": "someone", "client_id": "orders"}, "audience"),
        (without("aud"), "audience"),
        ({**CLAIMS, "exp": int(NOW_S)}, "expired"),
        (without("exp"), "expired"),
        ({**CLAIMS, "nbf": int(NOW_S) + 1}, "not valid yet"),
        ({**CLAIMS, "iat": int(NOW_S) + 1}, "not valid yet"),
        ({**CLAIMS, "exp": "soon"}, "exp"),
        ({**CLAIMS, "nbf": True}, "nbf"),
    ],
    ids=range(11),
)
def test_wrong_claims(claims, part):
    with pytest.raises(TokenRefused, match=part) as caught:
        check(token(claims))
    assert not caught.value.is_forbidden


def tampered(text):
    head, body, signature = text.split(".")
    return (
        f"{head}.{body}.{signature[:-8]}{'AAAAAAAA' if signature[-8:] != 'AAAAAAAA' else 'B' * 8}"
    )


def signed_with_the_public_key():
    """HS256 with what everybody can read as its secret: joserfc makes no such token."""
    head = urlsafe_b64encode(b'{"alg":"HS256","kid":"rsa"}').rstrip(b"=")
    text = head + b"." + token().split(".")[1].encode()
    digest = hmac.digest(RSA.as_pem(private=False), text, "sha256")
    return (text + b"." + urlsafe_b64encode(digest).rstrip(b"=")).decode()


@pytest.mark.parametrize(
    "text",
    [
        lambda: "",
        lambda: "x",
        lambda: "Bearer",
        lambda: "a.b.c",
        lambda: token(key=STRANGER),
        lambda: tampered(token()),
        signed_with_the_public_key,
        lambda: token().rsplit(".", 1)[0] + ".",
        lambda: "eyJhbGciOiJub25lIn0." + token().split(".")[1] + ".",
        lambda: token(kid="gone"),
    ],
    ids=[
        "empty",
        "a word",
        "no token",
        "no JSON",
        "another key",
        "tampered",
        "the public key as a secret",
        "no signature",
        "alg none",
        "unknown kid",
    ],
)
def test_what_nobody_signed(text):
    with pytest.raises(TokenRefused):
        check(text())


@pytest.mark.parametrize(
    ("claims", "wanted", "granted"),
    [
        (CLAIMS, ("write",), True),
        (CLAIMS, ("admin", "read"), True),
        (CLAIMS, ("admin",), False),
        (CLAIMS, ("rea",), False),
        ({**without("scope"), "scp": ["read"]}, ("read",), True),
        (without("scope"), ("read",), False),
        ({**CLAIMS, "scope": 7}, ("7",), False),
    ],
    ids=range(7),
)
def test_scopes(claims, wanted, granted):
    if granted:
        assert check(token(claims), scopes=wanted).scopes == wanted
        return
    with pytest.raises(TokenRefused) as caught:
        check(token(claims), scopes=wanted)
    assert caught.value.is_forbidden


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (7, "7"),
        (True, "true"),
        (["a", 1], "[a 1]"),
        ({"a": 1}, '{"a":1}'),
        (None, "null"),
    ],
    ids=str,
)
def test_claims_are_texts(value, text):
    assert claim_text(value) == text


# Keys


def test_keys_are_fetched_once_and_again_after_two_hours():
    issuer, time = Issuer(), [0.0]
    keys = KeyCache(issuer.fetch, clock=lambda: time[0])
    for moment, fetched in ((0.0, 2), (KEYS_KEPT_S - 1, 2), (KEYS_KEPT_S, 4)):
        time[0] = moment
        check(token(), keys=keys)
        assert len(issuer.asked) == fetched


def test_requests_at_once_fetch_the_keys_together():
    issuer = Issuer()
    keys = KeyCache(issuer.fetch)

    async def many():
        checks = [check_token(token(), AUTHORIZER, (), keys, NOW_S) for _ in range(20)]
        return await asyncio.gather(*checks)

    assert len(asyncio.run(many())) == 20
    assert len(issuer.asked) == 2


def test_an_issuer_without_a_discovery_document_has_keys_at_the_usual_place():
    issuer = Issuer(discovery=False)
    check(token(), keys=KeyCache(issuer.fetch))
    assert issuer.asked[-1] == f"{ISSUER}/.well-known/jwks.json"


@pytest.mark.parametrize("page", [None, {"keys": "x"}, {"keys": [{"kty": "?"}]}, [], "x"], ids=str)
def test_no_keys_is_a_refusal_and_is_tried_again(page):
    issuer = Issuer()
    good = issuer.pages[f"{ISSUER}/keys"]
    issuer.pages[f"{ISSUER}/keys"] = page
    keys = KeyCache(issuer.fetch)
    with pytest.raises(TokenRefused):
        check(token(), keys=keys)
    issuer.pages[f"{ISSUER}/keys"] = good
    assert check(token(), keys=keys)


@pytest.mark.parametrize(
    "error", [TimeoutError(), httpx.ConnectError("no"), httpx.InvalidURL("no")], ids=repr
)
def test_an_issuer_that_cannot_be_reached_is_a_refusal(error):
    async def fetch(url):
        raise error

    with pytest.raises(TokenRefused, match="communication error"):
        check(token(), keys=KeyCache(fetch))


def test_fetching_takes_only_what_is_there():
    def answer(request):
        pages = {"/keys": (200, b"{}"), "/gone": (404, b""), "/huge": (200, b"x" * 1_000_001)}
        status, body = pages[request.url.path]
        return httpx.Response(status, content=body)

    async def fetched():
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            fetch = http_fetch(client)
            return [await fetch(f"http://x{path}") for path in ("/keys", "/gone", "/huge")]

    assert asyncio.run(fetched()) == [b"{}", None, None]
