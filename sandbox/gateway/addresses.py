"""From the address of a request to an API, a stage and the path in it.

By path, `/_aws/execute-api/{api}/{stage}/...`, and by the Host header, `{api}.execute-api.*` with
`/{stage}/...`, as on AWS. The stage `$default` of an HTTP API has no segment of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from sandbox.gateway.endpoint import Destination, LiveStage
from sandbox.gateway.snapshot import StageKey
from sandbox.http import Request

PATH_PREFIX = b"/_aws/execute-api/"
_HOST_PART = b".execute-api."
_DEFAULT = "$default"


class UnknownStage(Exception):
    """The API is there and has no such stage; `is_http` tells which kind it is."""

    def __init__(self, *, is_http: bool) -> None:
        super().__init__()
        self.is_http = is_http


def is_addressed_by_host(request: Request) -> bool:
    """Whether the Host header names an API."""
    return request.host is not None and _HOST_PART in request.host.lower()


def destination(request: Request, stages: Mapping[StageKey, LiveStage]) -> Destination:
    """Where a request goes.

    Raises:
        UnknownStage: there is no such API or stage.
    """
    api_id, rest = _api_and_path(request)
    first, slash, after = rest.partition("/")
    named = stages.get((api_id, unquote(first))) if first else None
    if named is not None:
        return _within(named, request.method, f"/{after}" if slash else "/")
    default = stages.get((api_id, _DEFAULT))
    if default is not None:
        return _within(default, request.method, f"/{rest}")
    is_http = any(key[0] == api_id and live.stage.kind == "HTTP" for key, live in stages.items())
    raise UnknownStage(is_http=is_http)


def _api_and_path(request: Request) -> tuple[str, str]:
    """The id of the API, and the path without the slash in front."""
    if request.target.startswith(PATH_PREFIX):
        api_id, _, rest = request.path[len(PATH_PREFIX) :].partition("/")
        return api_id, rest
    host = (request.host or b"").decode("latin-1")
    return host.partition(".")[0].lower(), request.path.removeprefix("/")


def _within(live: LiveStage, method: str, path: str) -> Destination:
    canary = _within(live.canary, method, path) if live.canary is not None else None
    found = live.table.find(method, path)
    if found is None:
        return Destination(live, None, path, canary=canary)
    return Destination(live, live.endpoint(found.route), path, found.path_parameters, canary)
