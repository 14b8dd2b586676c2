"""The sandbox's front door: which request goes to which service.

A service is found by the credential scope of the SigV4 signature, as AWS's own front ends do.
Signatures are NOT verified: any access key and secret will do, because whoever can reach the
loopback interface may use the sandbox anyway. What is checked are Host and Origin: a web page in a
browser on the same machine must reach neither the API nor the functions (DNS rebinding,
cross-site requests).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs, unquote

from sandbox.http import Answer, Handler, Request, Response
from sandbox.refusals import json_refusal, unserved_service

_LOOPBACK_HOST = re.compile(
    r"(?:127(?:\.\d{1,3}){3}|localhost|(?:[a-z0-9-]+\.)+localhost|\[::1\])(?::\d{1,5})?", re.I
)
# Names below amazonaws.com belong to AWS: no stranger can make one of them resolve to 127.0.0.1.
_AWS_HOST = re.compile(r"(?:[a-z0-9-]+\.)+amazonaws\.com(?:\.cn)?(?::\d{1,5})?", re.I)
# The longest host name (RFC 1035, 2.3.4) with a port; longer ones are checked each time.
_MAX_KNOWN_HOST_BYTES = 261
_CREDENTIAL = re.compile(r"Credential=([^,\s]+)")


@dataclass(frozen=True, slots=True)
class CredentialScope:
    """What a signature was made for; `region` is empty for a SigV4A signature."""

    access_key: str
    region: str
    service: str


class Service(Protocol):
    """An AWS API behind the front."""

    def handle(self, request: Request, scope: CredentialScope) -> Answer:
        """The answer to a signed request."""


class Application(Protocol):
    """Something that is reached without a signature, such as the data plane of an API."""

    def match(self, request: Request) -> Handler | None:
        """What answers `request`, or None where it is not meant for this application."""


class Front:
    """Checks and dispatches each request."""

    def __init__(
        self,
        services: Mapping[str, Service],
        applications: Sequence[Application] = (),
        fallback: Service | None = None,
    ) -> None:
        self._services = dict(services)
        self._applications = tuple(applications)
        self._fallback = fallback
        self._known_hosts: set[bytes] = set()

    def handle(self, request: Request) -> Answer:
        """The answer to `request`: at once, or as a coroutine."""
        host = request.host
        if host not in self._known_hosts and not self._accept_host(host):
            return _refused_host(host)
        for application in self._applications:
            handler = application.match(request)
            if handler is not None:
                return handler(request)
        return self._call_service(request)

    def _accept_host(self, host: bytes | None) -> bool:
        """Whether `host` names this machine or AWS; remembered, for the next request has it too."""
        if host is None:
            return False
        name = host.decode("latin-1")
        if _LOOPBACK_HOST.fullmatch(name) is None and _AWS_HOST.fullmatch(name) is None:
            return False
        # A client may invent names below localhost without end; memory must not follow.
        if len(self._known_hosts) < 1000 and len(host) <= _MAX_KNOWN_HOST_BYTES:
            self._known_hosts.add(host)
        return True

    def _call_service(self, request: Request) -> Answer:
        origin = request.text_header(b"origin")
        if origin is not None and not is_loopback_origin(origin):
            return json_refusal(
                403,
                "AccessDeniedException",
                f"The sandbox answers no requests from web pages of other origins (got {origin}).",
            )
        scope = credential_scope(request)
        if isinstance(scope, Response):
            return scope
        service = self._services.get(scope.service, self._fallback)
        if service is None:
            return unserved_service(request, scope.service, sorted(self._services))
        return service.handle(request, scope)


def credential_scope(request: Request) -> CredentialScope | Response:
    """The scope that `request` was signed for, or AWS's answer where it is not signed."""
    authorization = request.text_header(b"authorization")
    if authorization is not None:
        found = _CREDENTIAL.search(authorization)
        credential = found.group(1) if found else ""
    elif "X-Amz-Credential=" in request.query:
        credential = parse_qs(request.query).get("X-Amz-Credential", [""])[0]
    else:
        return json_refusal(
            403, "MissingAuthenticationTokenException", "Missing Authentication Token"
        )
    parts = unquote(credential).split("/")
    if len(parts) == 5 and parts[-1] == "aws4_request":
        return CredentialScope(parts[0], parts[2], parts[3])
    # SigV4A signs for a set of regions, which is in a header of its own.
    if len(parts) == 4 and parts[-1] == "aws4_request":
        return CredentialScope(parts[0], "", parts[2])
    return json_refusal(
        403,
        "IncompleteSignatureException",
        "Authorization header requires 'Credential' parameter with a scope of the form "
        "KEY/DATE/REGION/SERVICE/aws4_request.",
    )


def is_loopback_origin(origin: str) -> bool:
    """Whether an Origin header names a page of this machine."""
    scheme, separator, host = origin.partition("://")
    return (
        bool(separator)
        and scheme in ("http", "https")
        and _LOOPBACK_HOST.fullmatch(host) is not None
    )


def _refused_host(host: bytes | None) -> Response:
    name = "none" if host is None else host.decode("latin-1")
    return json_refusal(
        403,
        "AccessDeniedException",
        "The sandbox answers only to loopback host names and names below amazonaws.com "
        f"(got Host: {name}).",
    )
