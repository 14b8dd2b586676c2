"""The API of REST APIs on a free port of this machine, and real clients of it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import fields
from datetime import date
from typing import Any

from rpc_rig import REGION, client_of, serve

from sandbox.apigateway_api.context import RestApiContext
from sandbox.apigateway_api.service import RestApiService
from sandbox.apigateway_api.state import RestState
from sandbox.gateway.snapshot import Stage
from sandbox.lambda_api.names import Home

ACCOUNT = "000000000000"
HOME = Home(ACCOUNT, REGION)
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/logs"
LOG_GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/apis/orders"
NOW_S = 1_790_000_000  # 2026-09-21


def invocation(arn: str = FUNCTION) -> str:
    """A function as API Gateway's own ARNs name it."""
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"


class RecordingLedger:
    """Each day 3 used and 7 left, until somebody sets what is left."""

    def __init__(self) -> None:
        self.remaining = 7
        self.asked: list[tuple[str, str, date, date]] = []
        self.forgotten: list[str] = []

    def used_by_day(
        self, plan_id: str, key_id: str, start: date, end: date
    ) -> list[tuple[int, int]]:
        self.asked.append((plan_id, key_id, start, end))
        return [(3, self.remaining)] * ((end - start).days + 1)

    def set_remaining(self, plan_id: str, key_id: str, remaining: int) -> None:
        self.remaining = remaining

    def forget_plan(self, plan_id: str) -> None:
        self.forgotten.append(plan_id)


class ServedApis:
    """Serves while its `with` block runs, with a client; the clock stands at `NOW_S`."""

    def __init__(self, **options: Any) -> None:
        self.state = RestState()
        self.ledger = RecordingLedger()
        self.changes = 0
        self.resets: list[tuple[str, str, str]] = []
        self._options = options
        self._stack = ExitStack()

    def __enter__(self) -> ServedApis:
        service = RestApiService(self.context())
        self.port = self._stack.enter_context(serve({"apigateway": service}))
        self.client = self._stack.enter_context(client_of(self.port, "apigateway"))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def context(self) -> RestApiContext:
        return RestApiContext(
            home=HOME,
            state=self.state,
            ledger=self.ledger,
            on_change=self._count,
            reset_cache=lambda api, stage: self.resets.append(("cache", api, stage)),
            reset_authorizers=lambda api, stage: self.resets.append(("authorizers", api, stage)),
            now_s=lambda: NOW_S,
            **self._options,
        )

    def _count(self) -> None:
        self.changes += 1

    def forget(self) -> None:
        """Begins again, with nothing."""
        for name, value in vars_of(RestState()).items():
            setattr(self.state, name, value)
        self.ledger.remaining = 7

    # Short ways to what most tests need

    def new_api(self, **settings: Any) -> str:
        """A new API's id."""
        return str(self.client.create_rest_api(**{"name": "shop", **settings})["id"])

    def root(self, api: str) -> str:
        """The id of an API's root resource."""
        return str(self.client.get_rest_api(restApiId=api)["rootResourceId"])

    def add_path(self, api: str, *parts: str) -> str:
        """The id of the last of new resources, each below the one before."""
        resource = self.root(api)
        for part in parts:
            resource = self.client.create_resource(restApiId=api, parentId=resource, pathPart=part)[
                "id"
            ]
        return resource

    def add_method(
        self, api: str, resource: str, method: str = "GET", **settings: Any
    ) -> dict[str, str]:
        """A new method without an integration: what names it in a call."""
        named = {"restApiId": api, "resourceId": resource, "httpMethod": method}
        self.client.put_method(**named, **{"authorizationType": "NONE", **settings})
        return named

    def add_function(
        self, api: str, resource: str, method: str = "GET", **settings: Any
    ) -> dict[str, str]:
        """A new method with a Lambda proxy integration."""
        named = self.add_method(api, resource, method)
        proxy = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": invocation()}
        self.client.put_integration(**named, **{**proxy, **settings})
        return named

    def deployed(self, *parts: str, stage: str = "prod", **settings: Any) -> str:
        """A new API with a function behind GET of a path, deployed."""
        api = self.new_api()
        self.add_function(api, self.add_path(api, *parts), **settings)
        self.client.create_deployment(restApiId=api, stageName=stage)
        return api

    def patch_stage(self, api: str, *patches: tuple[str, str, str | None]) -> dict[str, Any]:
        """The stage "prod" after patches of (op, path, value)."""
        return dict(
            self.client.update_stage(restApiId=api, stageName="prod", patchOperations=ops(*patches))
        )


def vars_of(state: RestState) -> dict[str, Any]:
    """The parts of a state."""
    return {field.name: getattr(state, field.name) for field in fields(state)}


def ops(*patches: tuple[str, str, str | None]) -> list[dict[str, str]]:
    """Patch operations of (op, path, value)."""
    return [
        {"op": op, "path": path, **({} if value is None else {"value": value})}
        for op, path, value in patches
    ]


def only(stages: tuple[Stage, ...]) -> Stage:
    """The one stage."""
    (stage,) = stages
    return stage
