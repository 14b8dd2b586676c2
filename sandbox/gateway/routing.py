"""Which route of a stage takes a request: the rules of REST and of HTTP APIs.

Of all paths that match, the most specific one wins, segment by segment: literal text before
`{name}` before `{name+}`. A REST API chooses the resource first and the method then, so that a
method which the best resource lacks is not looked for elsewhere; an HTTP API looks on, down to
`$default`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from sandbox.gateway.snapshot import ApiKind, Route

DEFAULT_ROUTE = "$default"

_ANY = "ANY"
_Parameters = dict[str, str]


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    labelled: _Node | None = None
    greedy: _Node | None = None
    # By method: each with the names of its path parameters, which may differ from one to another.
    routes: dict[str, tuple[Route, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A route with its path parameters, decoded."""

    route: Route
    path_parameters: Mapping[str, str]


class RouteTable:
    """The routes of a stage, by path and method."""

    def __init__(self, kind: ApiKind, routes: Iterable[Route]) -> None:
        self._is_rest = kind == "REST"
        self._root = _Node()
        self._default: Route | None = None
        for route in routes:
            if route.path == DEFAULT_ROUTE:
                self._default = route
            else:
                self._add(route)

    def find(self, method: str, path: str) -> Found | None:
        """The route for a request whose path, still percent-encoded, begins after the stage."""
        segments = self._segments(path)
        for node, values in _matches(self._root, segments, 0, ()):
            entry = node.routes.get(method) or node.routes.get(_ANY)
            if entry is not None:
                route, names = entry
                return Found(route, dict(zip(names, map(unquote, values), strict=True)))
            if self._is_rest:
                return None
        return None if self._default is None else Found(self._default, {})

    def _segments(self, path: str) -> list[str]:
        # A REST API takes /orders/ for /orders; to an HTTP API they are two paths.
        trimmed = path.strip("/") if self._is_rest else path.removeprefix("/")
        return trimmed.split("/") if trimmed else []

    def _add(self, route: Route) -> None:
        node = self._root
        names = []
        for segment in self._segments(route.path):
            if not (segment.startswith("{") and segment.endswith("}")):
                node = node.literals.setdefault(segment, _Node())
            elif segment.endswith("+}"):
                names.append(segment[1:-2])
                node.greedy = node = node.greedy or _Node()
            else:
                names.append(segment[1:-1])
                node.labelled = node = node.labelled or _Node()
        node.routes[route.method] = (route, tuple(names))


def _matches(
    node: _Node, segments: list[str], at: int, values: tuple[str, ...]
) -> Iterator[tuple[_Node, tuple[str, ...]]]:
    """The nodes with routes that match, best first, each with the values of its parameters."""
    if at == len(segments):
        if node.routes:
            yield node, values
        return
    segment = segments[at]
    literal = node.literals.get(segment)
    if literal is not None:
        yield from _matches(literal, segments, at + 1, values)
    if node.labelled is not None and segment:
        yield from _matches(node.labelled, segments, at + 1, (*values, segment))
    if node.greedy is not None and node.greedy.routes:
        yield node.greedy, (*values, "/".join(segments[at:]))
