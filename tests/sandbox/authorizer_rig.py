"""Requests at the gateway, as authorizers get them."""

from __future__ import annotations

from sandbox.gateway.exchange import Exchange
from sandbox.gateway.snapshot import ApiKind, Route, Stage
from sandbox.http import Request
from sandbox.lambda_api.names import Home

HOME = Home("000000000000", "us-east-1")
HOST = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
ARN = "arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5"
# 2026-10-05T12:00:00Z
NOW_S = 1_791_201_600.0


def request(
    method: str = "GET",
    target: str = "/live/orders/7?who=me",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> Request:
    """A request as the connection reads it."""
    given = {"Host": HOST, **(headers or {})}
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in given.items()]
    names = [name.encode() for name in given]
    return Request(method, target.encode(), pairs, body, host=HOST.encode(), names=names)


def exchange(
    kind: ApiKind = "REST",
    headers: dict[str, str] | None = None,
    *,
    method: str = "GET",
    target: str = "/live/orders/7?who=me",
    path: str = "/orders/7",
    policy: dict | None = None,
) -> Exchange:
    """A request that has found its route, at the stage "live"."""
    route = Route("GET /orders/{id}", "GET", "/orders/{id}", "res1", None)
    stage = Stage(
        kind=kind,
        api_id="a1b2c3d4e5",
        api_name="orders",
        name="live",
        routes=(route,),
        variables={"colour": "blue", "empty": ""},
        resource_policy=policy,
    )
    made = Exchange(request(method, target, headers), stage, HOME, path, 0.0, NOW_S)
    made.route = route
    made.path_parameters = {"id": "7"}
    return made
