"""SigV4 signatures of requests to an API, in a header or in the query string (presigned).

botocore computes the signature, as it does for the clients that made it. What differs from a
client: the headers are those that the signature names, the time is the one that was signed, and
the query string is decoded and encoded again, so that it does not matter how the client wrote it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import quote, unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from sandbox.credentials import Expired, Identity, Secret
from sandbox.http import Request

SERVICE = "execute-api"
# How far the clocks may differ (IAM User Guide, "Signature Version 4", 2026).
SKEW = timedelta(minutes=5)
# The longest life of a presigned URL, in s: seven days (same source).
_LONGEST_PRESIGNED_S = 604_800

_ALGORITHM = "AWS4-HMAC-SHA256"
_TIME = "%Y%m%dT%H%M%SZ"
_TIME_TEXT = re.compile(r"\d{8}T\d{6}Z")

SecretLookup = Callable[[str, str | None], Secret | Expired | None]
Reason = Literal[
    "missing", "incomplete", "bad signature", "unknown key", "expired time", "expired token"
]

# Gateway responses, by the reason.
_RESPONSE_TYPES: dict[Reason, str] = {
    "missing": "MISSING_AUTHENTICATION_TOKEN",
    "expired token": "EXPIRED_TOKEN",
}


@dataclass(frozen=True, slots=True)
class Signed:
    """A good signature, and whose it is."""

    access_key: str
    identity: Identity


@dataclass(frozen=True, slots=True)
class Unsigned:
    """No good signature: the reason, and what AWS says to the client."""

    reason: Reason
    message: str

    @property
    def response_type(self) -> str:
        """The gateway response that answers."""
        return _RESPONSE_TYPES.get(self.reason, "INVALID_SIGNATURE")


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a request says of its signature. `lifetime_s` only where it is presigned."""

    credential: str
    signed_headers: str
    signature: str
    time: str
    token: str | None
    lifetime_s: int | None = None


class _Refused(Exception):
    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.outcome = Unsigned(reason, message)


def verify(
    request: Request, region: str, now: datetime, secret_of: SecretLookup
) -> Signed | Unsigned:
    """Whether `request` has a good signature for the APIs of `region` at the time `now`."""
    try:
        return _verify(request, region, now, secret_of)
    except _Refused as refused:
        return refused.outcome


def _verify(request: Request, region: str, now: datetime, secret_of: SecretLookup) -> Signed:
    query = _pairs(request.query)
    claim = _claim(request, dict(query))
    access_key = _check_scope(claim, region)
    _check_time(claim, now)
    secret = secret_of(access_key, claim.token)
    if secret is None:
        raise _Refused("unknown key", "The security token included in the request is invalid.")
    if isinstance(secret, Expired):
        raise _Refused("expired token", "The security token included in the request is expired")
    expected = _signature(request, query, claim, region, secret.secret_key)
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise _Refused("bad signature", _MISMATCH)
    return Signed(access_key, secret.identity)


_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
)


# What the request says


def _claim(request: Request, query: dict[str, str]) -> _Claim:
    header = request.text_header(b"authorization")
    if header is not None:
        return _claim_in_header(request, header)
    if "X-Amz-Algorithm" in query or "X-Amz-Signature" in query:
        return _claim_in_query(query)
    raise _Refused("missing", "Missing Authentication Token")


def _claim_in_header(request: Request, header: str) -> _Claim:
    algorithm, _, rest = header.partition(" ")
    if algorithm != _ALGORITHM:
        raise _Refused(
            "incomplete", f"Authorization header has to begin with '{_ALGORITHM}' and a space."
        )
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    for name in ("Credential", "Signature", "SignedHeaders"):
        if not fields.get(name):
            raise _Refused("incomplete", f"Authorization header requires '{name}' parameter.")
    time = request.text_header(b"x-amz-date")
    if time is None:
        raise _Refused("incomplete", "Authorization header requires existence of 'X-Amz-Date'.")
    return _Claim(
        credential=fields["Credential"],
        signed_headers=fields["SignedHeaders"],
        signature=fields["Signature"],
        time=time,
        token=request.text_header(b"x-amz-security-token"),
    )


def _claim_in_query(query: dict[str, str]) -> _Claim:
    names = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    for name in names:
        if not query.get(f"X-Amz-{name}"):
            raise _Refused(
                "incomplete",
                f"AWS query-string parameters must include 'X-Amz-{name}'. Re-examine the query-"
                "string parameters.",
            )
    expires = query["X-Amz-Expires"]
    if query["X-Amz-Algorithm"] != _ALGORITHM:
        raise _Refused("incomplete", f"X-Amz-Algorithm has to be {_ALGORITHM}.")
    if not re.fullmatch(r"[0-9]{1,6}", expires) or not 1 <= int(expires) <= _LONGEST_PRESIGNED_S:
        raise _Refused("incomplete", f"X-Amz-Expires must be 1 to {_LONGEST_PRESIGNED_S} seconds.")
    return _Claim(
        credential=query["X-Amz-Credential"],
        signed_headers=query["X-Amz-SignedHeaders"],
        signature=query["X-Amz-Signature"],
        time=query["X-Amz-Date"],
        token=query.get("X-Amz-Security-Token"),
        lifetime_s=int(expires),
    )


def _check_scope(claim: _Claim, region: str) -> str:
    """The access key, where the rest of the credential is for this service and region."""
    parts = claim.credential.split("/")
    if len(parts) != 5 or parts[4] != "aws4_request":
        raise _Refused(
            "incomplete",
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            f"keyid/date/region/service/term, got '{claim.credential}'",
        )
    access_key, date, of_region, service, _ = parts
    if of_region != region:
        raise _Refused("bad signature", "Credential should be scoped to a valid region.")
    if service != SERVICE:
        raise _Refused(
            "bad signature", f"Credential should be scoped to correct service: '{SERVICE}'."
        )
    if not claim.time.startswith(date) or len(date) != 8:
        raise _Refused(
            "bad signature",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            f"HTTP: '{date}' != '{claim.time[:8]}', from '{claim.time}'.",
        )
    if "host" not in claim.signed_headers.split(";"):
        raise _Refused("bad signature", "'Host' must be a 'SignedHeader' in the AWS Authorization.")
    return access_key


def _check_time(claim: _Claim, now: datetime) -> None:
    signed = _parse_time(claim.time)
    if signed > now + SKEW:
        raise _Refused(
            "expired time",
            f"Signature not yet current: {claim.time} is still later than "
            f"{_text(now + SKEW)} ({_text(now)} + 5 min.)",
        )
    if claim.lifetime_s is not None:
        end = signed + timedelta(seconds=claim.lifetime_s)
        if now > end:
            raise _Refused(
                "expired time",
                f"Signature expired: {_text(end)} is now earlier than {_text(now)}",
            )
    elif signed < now - SKEW:
        raise _Refused(
            "expired time",
            f"Signature expired: {claim.time} is now earlier than {_text(now - SKEW)} "
            f"({_text(now)} - 5 min.)",
        )


def _parse_time(text: str) -> datetime:
    try:
        if _TIME_TEXT.fullmatch(text):
            return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise _Refused("incomplete", f"Date must be in ISO-8601 'basic format'. Got '{text}'.")


def _text(time: datetime) -> str:
    return time.astimezone(UTC).strftime(_TIME)


# The signature that it should have


class _ServerSide(SigV4Auth):
    """Signs the headers that it is told to, and not those that a client would choose."""

    def __init__(self, secret_key: str, region: str, headers: HTTPHeaders) -> None:
        super().__init__(Credentials("any", secret_key), SERVICE, region)
        self._headers = headers

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        """The headers that the signature names."""
        return self._headers


def _signature(
    request: Request, query: list[tuple[str, str]], claim: _Claim, region: str, secret_key: str
) -> str:
    names = [name.encode("latin-1", "replace") for name in claim.signed_headers.split(";")]
    headers = HTTPHeaders()
    for name, value in request.headers:
        if name in names:
            headers[name.decode("latin-1")] = value.decode("latin-1")
    _check_body(request)
    signer = _ServerSide(secret_key, region, headers)
    described = AWSRequest(
        method=request.method,
        # Only path and query count; the plain scheme lets botocore hash the body in any case.
        url=f"http://host{request.path.replace('#', '%23')}?{_encoded(query)}",
        data=request.body,
    )
    described.context["timestamp"] = claim.time
    text = signer.string_to_sign(described, signer.canonical_request(described))
    return str(signer.signature(text, described))


def _encoded(query: list[tuple[str, str]]) -> str:
    """The fields that are signed, as SigV4 writes them; botocore sorts them."""
    return "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in query
        if name != "X-Amz-Signature"
    )


def _check_body(request: Request) -> None:
    """Some clients send the hash of the body along; it has to be the body's."""
    told = request.text_header(b"x-amz-content-sha256")
    if told is not None and told != hashlib.sha256(request.body).hexdigest():
        raise _Refused("bad signature", _MISMATCH)


def _pairs(query: str) -> list[tuple[str, str]]:
    """The fields of a query string, decoded; a plus is a plus to SigV4."""
    if not query:
        return []
    parts = (part.partition("=") for part in query.split("&") if part)
    return [(unquote(name), unquote(value)) for name, _, value in parts]
