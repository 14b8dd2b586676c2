"""What has to fit together in a stack: the routes of an API, and the keys of its usage plans.

Each check gives all mistakes that it finds, and where they are in what it was given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from core.located_model import Mistake, did_you_mean
from sandbox.apigateway_api.plan_rules import MAX_METHOD_THROTTLES
from sandbox.apigateway_api.resources import MAX_RESOURCES
from sandbox.apigateway_api.usage_plans import MAX_PLANS_OF_KEY
from sandbox.apigatewayv2_api.route_keys import parse_route_key
from sandbox.stack.fields import path_variables

if TYPE_CHECKING:
    from sandbox.stack.model import HttpRoute, RestApi, RestRoute, UsagePlan


def misfits_of_cache_keys(route: RestRoute) -> Iterator[Mistake]:
    """Keys that come twice, or that name no variable of the path."""
    keys = route.cache.keys if route.cache else ()
    for number, key in enumerate(keys):
        place, _, name = key.partition(".")
        where = ("cache", "keys", number)
        if key in keys[:number]:
            yield Mistake(f"is in the list already (got '{key}')", where)
        elif place == "path" and name not in path_variables(route.path):
            yield Mistake(f"there is no {{{name}}} in the path {route.path}", where)


def misfits_of_rest_routes(api: RestApi) -> Iterator[Mistake]:
    """All that is wrong between the routes of a REST API."""
    yield from _repeated(api.routes)
    yield from _siblings(api.routes)
    yield from _resources(api.routes)
    for number, route in enumerate(api.routes):
        if route.cache is not None and api.cache is None:
            where = ("routes", number, "cache")
            yield Mistake("the API has no cache: add cache to it", where)


def misfits_of_http_routes(routes: Sequence[HttpRoute]) -> Iterator[Mistake]:
    """All that is wrong between the routes of an HTTP API."""
    yield from _repeated(routes)
    seen: dict[tuple[str, str], int] = {}
    for number, route in enumerate(routes):
        first = seen.setdefault(parse_route_key(route.key).shape, number)
        other = routes[first].key
        if other != route.key:
            yield Mistake(
                f"{route.key} takes the same requests as routes[{first}], {other}",
                ("routes", number, "path"),
            )


def misfits_of_method_throttles(
    plan: UsagePlan, routes: Mapping[str, frozenset[str]]
) -> Iterator[Mistake]:
    """Throttles of what is not there; `routes` has the keys of routes by API."""
    for api, throttles in plan.method_throttles.items():
        where = ("method_throttles", api)
        if api not in plan.apis:
            yield Mistake("the API is not among the plan's apis", where)
        if len(throttles) > MAX_METHOD_THROTTLES:
            text = f"must have at most {MAX_METHOD_THROTTLES} routes (got {len(throttles)})"
            yield Mistake(text, where)
        known = routes.get(api, frozenset())
        for key in throttles:
            if key not in known:
                text = f"there is no route '{key}'{did_you_mean(key, known)}"
                yield Mistake(text, (*where, key))


def misfits_of_keys(plans: Mapping[str, UsagePlan]) -> Iterator[Mistake]:
    """A key has one value, a value is of one key, and a key is in one plan of each stage.

    The last is from the developer guide, on usage plans.
    """
    values: dict[str, str] = {}
    names: dict[str, str] = {}
    owners: dict[tuple[str, str], str] = {}
    counts: Counter[str] = Counter()
    for plan_name, plan in plans.items():
        for key, value in plan.keys.items():
            where = ("usage_plans", plan_name, "keys", key)
            counts[key] += 1
            if values.setdefault(key, value) != value:
                yield Mistake("the key has another value in another plan", where)
            if names.setdefault(value, key) != key:
                yield Mistake(f"the key {names[value]} has this value already", where)
            if counts[key] > MAX_PLANS_OF_KEY:
                text = f"the key is in {MAX_PLANS_OF_KEY} plans already, which is the most"
                yield Mistake(text, where)
            for api in plan.apis:
                other = owners.setdefault((key, api), plan_name)
                if other != plan_name:
                    text = f"the key is in the plan {other}, which has the API {api} as well"
                    yield Mistake(text, where)


def _repeated(routes: Sequence[RestRoute] | Sequence[HttpRoute]) -> Iterator[Mistake]:
    seen: dict[str, int] = {}
    for number, route in enumerate(routes):
        first = seen.setdefault(route.key, number)
        if first != number:
            yield Mistake(f"{route.key} is routes[{first}] already", ("routes", number))


def _siblings(routes: Sequence[RestRoute]) -> Iterator[Mistake]:
    """REST APIs have at most one variable among the resources below one parent."""
    variables: dict[str, str] = {}
    for number, route in enumerate(routes):
        parts = route.path.split("/")
        for length, part in enumerate(parts):
            parent = "/".join(parts[:length])
            if part.startswith("{") and variables.setdefault(parent, part) != part:
                yield Mistake(
                    f"below {parent or '/'} there is {variables[parent]} already: a REST API takes "
                    f"one variable there (got {part})",
                    ("routes", number, "path"),
                )


def _resources(routes: Sequence[RestRoute]) -> Iterator[Mistake]:
    """Each path, and each one above it, is a resource."""
    paths = {"/"}
    for number, route in enumerate(routes):
        parts = route.path.rstrip("/").split("/")
        paths.update("/".join(parts[:length]) for length in range(2, len(parts) + 1))
        if len(paths) > MAX_RESOURCES:
            yield Mistake(
                f"a REST API has at most {MAX_RESOURCES} resources, all paths with those above "
                "them: put the rest into another API",
                ("routes", number, "path"),
            )
            return
