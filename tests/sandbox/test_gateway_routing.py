"""Which route takes a request."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.gateway.routing import RouteTable
from sandbox.gateway.snapshot import ApiKind, Route


def table(kind: ApiKind, *keys: str) -> RouteTable:
    routes = []
    for key in keys:
        method, _, path = key.partition(" ")
        routes.append(Route(key, method if path else "ANY", path or key, "r", None))
    return RouteTable(kind, routes)


SHOP = ("GET /", "GET /orders", "POST /orders", "GET /orders/{id}", "ANY /orders/open")
SHOP += ("GET /orders/{id}/items/{item}", "ANY /files/{path+}", "GET /files/{name}")


@pytest.mark.parametrize(
    ("kind", "request_line", "key", "parameters"),
    [
        ("REST", "GET /", "GET /", {}),
        ("REST", "GET /orders", "GET /orders", {}),
        ("REST", "GET /orders/", "GET /orders", {}),
        ("HTTP", "GET /orders/", None, None),
        ("REST", "GET /orders/7", "GET /orders/{id}", {"id": "7"}),
        ("REST", "GET /orders/a%2Fb%20c", "GET /orders/{id}", {"id": "a/b c"}),
        ("REST", "GET /orders/open", "ANY /orders/open", {}),
        ("REST", "DELETE /orders/open", "ANY /orders/open", {}),
        ("REST", "DELETE /orders/7", None, None),
        ("REST", "GET /orders/7/items", None, None),
        (
            "REST",
            "GET /orders/7/items/x",
            "GET /orders/{id}/items/{item}",
            {"id": "7", "item": "x"},
        ),
        ("REST", "GET /files/a", "GET /files/{name}", {"name": "a"}),
        ("REST", "GET /files/a/b/c", "ANY /files/{path+}", {"path": "a/b/c"}),
        # REST has chosen /files/{name}, which has no PUT; an HTTP API looks on.
        ("REST", "PUT /files/a", None, None),
        ("HTTP", "PUT /files/a", "ANY /files/{path+}", {"path": "a"}),
        ("REST", "GET /files", None, None),
        ("REST", "GET /nothing", None, None),
    ],
)
def test_the_most_specific_route_takes_a_request(
    kind: ApiKind, request_line: str, key: str | None, parameters: dict[str, str] | None
) -> None:
    method, path = request_line.split(" ")
    found = table(kind, *SHOP).find(method, path)
    if key is None:
        assert found is None
    else:
        assert found is not None
        assert (found.route.key, found.path_parameters) == (key, parameters)


def test_the_default_route_takes_what_is_left() -> None:
    routes = table("HTTP", "GET /a", "$default")
    assert routes.find("GET", "/a").route.key == "GET /a"  # type: ignore[union-attr]
    assert routes.find("POST", "/a").route.key == "$default"  # type: ignore[union-attr]
    assert routes.find("GET", "/").route.key == "$default"  # type: ignore[union-attr]


def test_routes_of_one_place_may_name_its_parameter_differently() -> None:
    routes = table("HTTP", "GET /a/{x}", "POST /a/{y}")
    assert routes.find("GET", "/a/1").path_parameters == {"x": "1"}  # type: ignore[union-attr]
    assert routes.find("POST", "/a/1").path_parameters == {"y": "1"}  # type: ignore[union-attr]


@given(st.lists(st.sampled_from(["a", "b", "c d", "ü", "%"]), min_size=1, max_size=5))
def test_a_path_is_found_literally_and_by_its_decoded_parameters(segments: list[str]) -> None:
    wire = "/" + "/".join(quote(segment, safe="") for segment in segments)
    labels = "/" + "/".join(f"{{p{n}}}" for n in range(len(segments)))
    found = table("REST", f"GET {labels}", "GET /{all+}").find("GET", wire)
    assert found is not None
    assert list(found.path_parameters.values()) == segments
    literal = table("REST", f"GET {wire}", f"GET {labels}").find("GET", wire)
    assert literal is not None
    assert literal.route.path == wire
