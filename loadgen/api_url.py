"""Addresses of APIs: what an invoke URL says, and which one an API has.

The only place that knows both forms: `https://ID.execute-api.REGION.amazonaws.com/STAGE`, and
`ENDPOINT/_aws/execute-api/ID/STAGE` where AWS is reached over an endpoint of the user's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from core.errors import InputError

DEFAULT_STAGE = "$default"

_HOST = re.compile(
    r"(?P<id>[a-z0-9]+)\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
)
_PATH = re.compile(r"/_aws/execute-api/(?P<id>[a-z0-9]+)(?P<rest>/.*)?")


@dataclass(frozen=True, slots=True)
class ApiUrl:
    """What an invoke URL says; `path` is what follows the host or the id, without a last slash.

    Whether the first part of `path` is a stage, only the API's stages tell.
    """

    api_id: str
    region: str | None
    path: str


def parse_api_url(url: str) -> ApiUrl | None:
    """The API behind a URL; None where the URL does not name one."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    path = unquote(parts.path).rstrip("/")
    by_host = _HOST.fullmatch(host)
    if by_host:
        return ApiUrl(by_host["id"], by_host["region"], path)
    by_path = _PATH.fullmatch(path)
    if by_path:
        return ApiUrl(by_path["id"], None, by_path["rest"] or "")
    return None


def with_stage(url: str, stage: str) -> str:
    """The invoke URL of another stage of the same API: the first part of its path is replaced.

    Raises:
        InputError: `url` is no invoke URL, so that nobody knows where its stage stands.
    """
    found = parse_api_url(url)
    if found is None:
        raise InputError(
            f"stage {stage!r}: the target {url} is not the address of a stage of an API",
            hint="give the target as target.api, or leave the stage of the scenario out",
        )
    parts = urlsplit(url)
    segments = parts.path.strip("/").split("/")
    own = 3 if _PATH.fullmatch(unquote(parts.path).rstrip("/")) else 0  # _aws, execute-api, the id
    tail = [] if stage == DEFAULT_STAGE else [quote(stage, safe="")]
    return "/".join(
        [f"{parts.scheme}://{parts.netloc}", *segments[:own], *tail, *segments[own + 1 :]]
    )


def invoke_url(api_id: str, stage: str, region: str, custom_endpoint: str | None) -> str:
    """Where the stage of an API is called, without a last slash.

    The stage `$default` has no part in the path.
    """
    tail = "" if stage == DEFAULT_STAGE else f"/{quote(stage, safe='')}"
    if custom_endpoint is not None:
        return f"{custom_endpoint.rstrip('/')}/_aws/execute-api/{api_id}{tail}"
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{api_id}.execute-api.{region}.{suffix}{tail}"
