"""Route keys of HTTP APIs: "METHOD /path" or "$default"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.apigatewayv2_api.errors import bad_request

DEFAULT = "$default"
METHODS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")

_VARIABLE = re.compile(r"\{([\w.:-]+)(\+?)\}")
# What a segment of a URI may have (RFC 3986, 3.3), percent-encoded octets included.
_LITERAL = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class RouteKey:
    """A method and a path; the ones of "$default" are ANY and "$default"."""

    method: str
    path: str

    @property
    def shape(self) -> tuple[str, str]:
        """The key without names of variables: routes of one shape take the same requests."""
        return self.method, _VARIABLE.sub(r"{\2}", self.path)


def parse_route_key(text: str) -> RouteKey:
    """The method and path of a route key.

    Raises:
        ApiError: `text` is none.
    """
    if text == DEFAULT:
        return RouteKey("ANY", DEFAULT)
    method, separator, path = text.partition(" ")
    if not separator or method not in METHODS or not path.startswith("/"):
        raise bad_request(
            "The provided route key is not formatted properly for HTTP protocol. Format should "
            f'be "<HTTP METHOD> /<RESOURCE PATH>" or "$default" (got "{text}")'
        )
    _check_path(path)
    return RouteKey(method, path)


def _check_path(path: str) -> None:
    segments = path[1:].split("/")
    if segments[-1] == "":  # "/" itself, and paths that end with a slash
        segments.pop()
    names: set[str] = set()
    for number, segment in enumerate(segments, start=1):
        variable = _VARIABLE.fullmatch(segment)
        if variable is None:
            if _LITERAL.fullmatch(segment) is None:
                raise bad_request(f"Invalid resource path {path}: invalid part '{segment}'")
            continue
        name, greedy = variable.groups()
        if name in names:
            raise bad_request(f"Invalid resource path {path}: {{{name}}} stands in it twice")
        names.add(name)
        if greedy and (number < len(segments) or path.endswith("/")):
            raise bad_request(
                f"Invalid resource path {path}: {segment} is greedy and has to be the last part"
            )
