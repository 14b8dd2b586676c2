"""Which route of an API a step hits, from its path as written, templates and all.

Of all routes that match, the most specific one wins, segment by segment: literal text before
`{name}` before `{name+}`. A REST API chooses the resource first and the method then; an HTTP API
looks on, down to `$default` ("Working with routes for HTTP APIs", developer guide). What a
template will be is not known here: it is taken for the value of a path parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from core.aws.gateway import ApiKind, Route

_TEMPLATE = re.compile(r"\$\{[^}]*\}")
# Stands for a template: no path has it, and it is no slash, question mark or number sign.
_VALUE = "\x00"
_LITERAL, _NAMED, _GREEDY = 0, 1, 2


def route_of(
    kind: ApiKind, routes: Iterable[Route], method: str, path: str, base_path: str = ""
) -> Route | None:
    """The route that takes `method` and `path`, below `base_path` of the stage.

    None where no route does: API Gateway answers such requests itself.
    """
    written = _TEMPLATE.sub(_VALUE, path).replace("$$", "$")
    segments = _segments(kind, base_path + urlsplit(written).path)
    by_rank: dict[tuple[int, ...], list[Route]] = {}
    default = None
    for route in routes:
        if route.path == "$default":
            default = route
        elif (rank := _rank(_segments(kind, route.path), segments)) is not None:
            by_rank.setdefault(rank, []).append(route)
    for rank in sorted(by_rank):
        found = _with_method(by_rank[rank], method)
        if found is not None or kind == "rest":
            return found
    return default


def _segments(kind: ApiKind, path: str) -> list[str]:
    # A REST API takes /orders/ for /orders; to an HTTP API they are two paths.
    trimmed = path.strip("/") if kind == "rest" else path.removeprefix("/")
    return trimmed.split("/") if trimmed else []


def _rank(pattern: Sequence[str], segments: Sequence[str]) -> tuple[int, ...] | None:
    """How specific a match is, smaller before larger; None for no match."""
    ranks: list[int] = []
    for at, part in enumerate(pattern):
        if at >= len(segments):
            return None
        if part.startswith("{") and part.endswith("+}"):
            return (*ranks, _GREEDY)
        if part.startswith("{") and part.endswith("}"):
            if not segments[at]:
                return None
            ranks.append(_NAMED)
        elif part == segments[at]:
            ranks.append(_LITERAL)
        else:
            return None
    return tuple(ranks) if len(pattern) == len(segments) else None


def _with_method(routes: Sequence[Route], method: str) -> Route | None:
    by_method = {route.method: route for route in routes}
    return by_method.get(method) or by_method.get("ANY")
