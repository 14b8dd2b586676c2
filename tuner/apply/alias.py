"""An alias of a function: where it leads, and how it is led elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.aws.session import aws_call
from core.errors import AwsError, InputError, Refused
from tuner.settle import BUSY, CHANGED, NOT_FOUND, POLL_MOST_S, Pause

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import (
        AliasConfigurationResponseTypeDef,
        AliasConfigurationTypeDef,
    )

_TRIES = 10


@dataclass(frozen=True, slots=True)
class Route:
    """The versions that an alias leads to: all calls to one, but for the shares of others."""

    version: str
    weights: Mapping[str, float]

    def leads_to(self, version: str) -> bool:
        """Whether any call goes to this version."""
        return version == self.version or version in self.weights

    def __str__(self) -> str:
        shares = [f"{weight:.3g} to version {other}" for other, weight in self.weights.items()]
        return ", ".join([f"version {self.version}", *shares])


@dataclass(frozen=True, slots=True)
class Alias:
    """One alias as it was when it was read."""

    name: str
    route: Route
    revision_id: str


def read_alias(client: LambdaClient, function: str, name: str) -> Alias:
    """The alias `name` of a function.

    Raises:
        InputError: when the function has no such alias.
        AwsError: when AWS does not say.
    """
    try:
        with aws_call(f"read alias {name} of {function}"):
            answer = client.get_alias(FunctionName=function, Name=name)
    except AwsError as error:
        if error.code == NOT_FOUND:
            raise InputError(f"alias {name!r} of {function}: not found") from error
        raise
    return _alias(answer)


def lead(client: LambdaClient, function: str, alias: Alias, route: Route, pause: Pause) -> Alias:
    """Leads `alias` to `route`, if it still leads where it did; gives it as it is then.

    Where the answer to the update was lost, boto3 asks again and is told that the revision is
    another one: whose change that was, only the alias can tell.

    Raises:
        Refused: when somebody else leads it elsewhere meanwhile.
        AwsError: when AWS does not go along.
    """
    now = alias
    for _ in range(_TRIES):
        try:
            with aws_call(f"lead alias {alias.name} of {function} to {route}"):
                answer = client.update_alias(
                    FunctionName=function,
                    Name=alias.name,
                    FunctionVersion=route.version,
                    RoutingConfig={"AdditionalVersionWeights": dict(route.weights)},
                    RevisionId=now.revision_id,
                )
        except AwsError as error:
            if error.code not in (CHANGED, BUSY):
                raise
            now = read_alias(client, function, alias.name)
            if now.route == route:
                return now
            if now.route != alias.route:
                raise Refused(foreign_route(now, function)) from error
            pause(POLL_MOST_S)
            continue
        return _alias(answer)
    raise AwsError(f"alias {alias.name} of {function} is being changed all the time")


def foreign_route(alias: Alias, function: str) -> str:
    """What to tell a user when somebody else led the alias elsewhere."""
    return (
        f"alias {alias.name} of {function} was changed by somebody else meanwhile: it leads to "
        f"{alias.route}"
    )


def aliases_to(client: LambdaClient, function: str, version: str) -> tuple[str, ...]:
    """The names of all aliases that send calls to a version."""
    found: list[str] = []
    with aws_call(f"list the aliases of {function}"):
        for page in client.get_paginator("list_aliases").paginate(FunctionName=function):
            for item in page["Aliases"]:
                if _route(item).leads_to(version):
                    found.append(item["Name"])
    return tuple(found)


def _alias(shown: AliasConfigurationTypeDef | AliasConfigurationResponseTypeDef) -> Alias:
    return Alias(shown["Name"], _route(shown), shown["RevisionId"])


def _route(shown: AliasConfigurationTypeDef | AliasConfigurationResponseTypeDef) -> Route:
    weights = shown.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return Route(shown["FunctionVersion"], dict(weights))
