"""Stages: what serves a deployment, with throttles, variables and access logs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.apigatewayv2_api.context import HttpApiContext, find, given, shown
from sandbox.apigatewayv2_api.deployments import deploy_stage
from sandbox.apigatewayv2_api.errors import bad_request, conflict, limit_exceeded, not_found
from sandbox.apigatewayv2_api.paging import page
from sandbox.apigatewayv2_api.stage_settings import check_route_keys, check_stage, merge
from sandbox.apigatewayv2_api.state import Document, HttpApi
from sandbox.apigatewayv2_api.tags import check_tags
from sandbox.rest_json.service import Operation

DEFAULT_STAGE = "$default"

# Stages of an API (API Gateway quotas, 2026).
MAX_STAGES = 10

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}|\$default")


class StageOperations:
    """The operations on stages."""

    def __init__(self, context: HttpApiContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """By name."""
        return {
            "CreateStage": self.create,
            "GetStage": self.get,
            "GetStages": self.list,
            "UpdateStage": self.update,
            "DeleteStage": self.delete,
            "DeleteRouteSettings": self.delete_route_settings,
            "DeleteAccessLogSettings": self.delete_access_log,
            "ResetAuthorizersCache": self.reset_authorizers,
        }

    def create(self, parameters: Mapping[str, Any]) -> Document:
        """Creates a stage; one with AutoDeploy deploys at once."""
        api = self._context.api(parameters)
        name = parameters["StageName"]
        if _NAME.fullmatch(name) is None:
            raise bad_request(
                f"Invalid stage name {name}: $default, or up to 128 of a-z, A-Z, 0-9, _ and -"
            )
        if name in api.stages:
            raise conflict(f"Stage {name} already exists")
        if len(api.stages) >= MAX_STAGES:
            raise limit_exceeded("Maximum number of stages for this API has been reached")
        check_tags(parameters.get("Tags", {}))
        stage = new_stage(given(parameters, "ApiId"), self._context.timestamp())
        self._check(api, stage, parameters)
        return self._store(api, stage, deploys=stage["AutoDeploy"])

    def get(self, parameters: Mapping[str, Any]) -> Document:
        """One stage."""
        return shown(self._find(self._context.api(parameters), parameters))

    def list(self, parameters: Mapping[str, Any]) -> Document:
        """In the order in which they were made."""
        return page(list(self._context.api(parameters).stages.values()), parameters)

    def update(self, parameters: Mapping[str, Any]) -> Document:
        """Changes what is given, merging settings; turning AutoDeploy on deploys at once."""
        api = self._context.api(parameters)
        old = self._find(api, parameters)
        changes = given(parameters, "ApiId", "StageName")
        stage = merge(old, changes)
        self._check(api, stage, changes)
        return self._store(api, stage, deploys=stage["AutoDeploy"] and not old["AutoDeploy"])

    def delete(self, parameters: Mapping[str, Any]) -> None:
        """Deletes a stage; its deployment stays."""
        api = self._context.api(parameters)
        stage = self._find(api, parameters)
        if stage.get("ApiGatewayManaged"):
            raise bad_request(f"Stage {stage['StageName']} is managed by API Gateway")
        del api.stages[stage["StageName"]]
        self._context.on_change()

    def delete_route_settings(self, parameters: Mapping[str, Any]) -> None:
        """Takes away what a stage says of one route."""
        api = self._context.api(parameters)
        stage = self._find(api, parameters)
        key = parameters["RouteKey"]
        if key not in stage["RouteSettings"]:
            raise not_found(f"Unable to find RouteSettings by key {key}")
        self._store(api, {**stage, "RouteSettings": given(stage["RouteSettings"], key)})

    def delete_access_log(self, parameters: Mapping[str, Any]) -> None:
        """Ends the access log of a stage."""
        api = self._context.api(parameters)
        self._store(api, given(self._find(api, parameters), "AccessLogSettings"))

    def reset_authorizers(self, parameters: Mapping[str, Any]) -> None:
        """Forgets the answers of authorizers that are cached for a stage."""
        api = self._context.api(parameters)
        stage = self._find(api, parameters)
        self._context.reset_authorizers(api.id, stage["StageName"])

    def _find(self, api: HttpApi, parameters: Mapping[str, Any]) -> Document:
        return find(api.stages, parameters["StageName"], "stage")

    def _check(self, api: HttpApi, stage: Document, changes: Mapping[str, Any]) -> None:
        check_stage(stage)
        check_route_keys(changes, {route["RouteKey"] for route in api.routes.values()})
        if "DeploymentId" in changes:
            if stage["AutoDeploy"]:
                raise bad_request("DeploymentId can't be set while autoDeploy is enabled")
            find(api.deployments, changes["DeploymentId"], "Deployment")

    def _store(self, api: HttpApi, stage: Document, *, deploys: bool = False) -> Document:
        name, now = stage["StageName"], self._context.timestamp()
        api.stages[name] = {**stage, "LastUpdatedDate": now}
        if deploys:
            deploy_stage(api, name, now)
        self._context.on_change()
        return shown(api.stages[name])


def new_stage(members: Document, now: str) -> Document:
    """A stage with its defaults."""
    empty: Document = {
        "AutoDeploy": False,
        "CreatedDate": now,
        "LastUpdatedDate": now,
        "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
        "RouteSettings": {},
        "StageVariables": {},
        "Tags": {},
    }
    return merge(empty, members)
