"""Identity sources: where in a request an authorizer finds who calls."""

from __future__ import annotations

from sandbox.gateway.context_variables import compiled
from sandbox.gateway.exchange import Exchange


def identity_values(sources: tuple[str, ...], exchange: Exchange) -> tuple[str, ...] | None:
    """The values of all sources, or None where one of them is missing or empty."""
    values = tuple(identity_value(source, exchange) for source in sources)
    return None if None in values else tuple(value for value in values if value is not None)


def identity_value(source: str, exchange: Exchange) -> str | None:
    """The value of a source, or None where it is missing or empty.

    Both forms are known: `method.request.header.NAME` and `context.NAME` of REST APIs,
    `$request.header.NAME` and `$context.NAME` of HTTP APIs.
    """
    name = source.removeprefix("$").removeprefix("method.")
    kind, _, rest = name.partition(".")
    if kind == "request":
        place, _, key = rest.partition(".")
        return _of_request(place, key, exchange) or None
    if kind == "stageVariables":
        return exchange.stage.variables.get(rest) or None
    return compiled(f"$context.{rest}").render(exchange) or None


def _of_request(place: str, key: str, exchange: Exchange) -> str | None:
    match place:
        case "header" | "multivalueheader":
            return exchange.request.text_header(key.lower().encode("latin-1", "replace"))
        case "querystring" | "multivaluequerystring":
            return dict(exchange.query_pairs).get(key)
        case "path":
            return exchange.path_parameters.get(key)
    return None
