"""Deployments, made by a call or by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.apigatewayv2_api.context import HttpApiContext, find, new_id, shown
from sandbox.apigatewayv2_api.errors import bad_request, conflict
from sandbox.apigatewayv2_api.paging import page
from sandbox.apigatewayv2_api.state import Document, HttpApi
from sandbox.rest_json.service import Operation

_NO_ROUTES = "Unable to deploy API because no routes exist in this API"
# Each change of an API makes one for each stage that deploys itself. AWS keeps them all; here a
# script that builds an API of hundreds of routes would fill the state with copies nobody uses.
_UNUSED_AUTOMATIC_KEPT = 10


class DeploymentOperations:
    """The operations on deployments."""

    def __init__(self, context: HttpApiContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """By name."""
        return {
            "CreateDeployment": self.create,
            "GetDeployment": self.get,
            "GetDeployments": self.list,
            "UpdateDeployment": self.update,
            "DeleteDeployment": self.delete,
        }

    def create(self, parameters: Mapping[str, Any]) -> Document:
        """Freezes the API, and lets a stage serve it where one is named."""
        api = self._context.api(parameters)
        name = parameters.get("StageName")
        stage = None if name is None else find(api.stages, name, "stage")
        if stage is not None and stage["AutoDeploy"]:
            raise bad_request(f"Stage {name} deploys automatically: autoDeploy is enabled")
        if not api.routes:
            raise bad_request(_NO_ROUTES)
        now = self._context.timestamp()
        deployment = _deploy(api, now, automatic=False, description=parameters.get("Description"))
        if stage is not None and name is not None:
            point(api, name, deployment["DeploymentId"], now)
        self._context.on_change()
        return shown(deployment)

    def get(self, parameters: Mapping[str, Any]) -> Document:
        """One deployment."""
        api = self._context.api(parameters)
        return shown(find(api.deployments, parameters["DeploymentId"], "Deployment"))

    def list(self, parameters: Mapping[str, Any]) -> Document:
        """The newest first."""
        api = self._context.api(parameters)
        return page(list(api.deployments.values())[::-1], parameters)

    def update(self, parameters: Mapping[str, Any]) -> Document:
        """A deployment has only a description that can change."""
        api = self._context.api(parameters)
        deployment = find(api.deployments, parameters["DeploymentId"], "Deployment")
        if "Description" in parameters:
            deployment = {**deployment, "Description": parameters["Description"]}
        api.deployments[parameters["DeploymentId"]] = deployment
        self._context.on_change()
        return shown(deployment)

    def delete(self, parameters: Mapping[str, Any]) -> None:
        """Deletes a deployment that no stage serves."""
        api = self._context.api(parameters)
        deployment_id = parameters["DeploymentId"]
        find(api.deployments, deployment_id, "Deployment")
        if deployment_id in _used(api):
            raise conflict("Active stages pointing to this deployment must be moved or deleted")
        _forget(api, deployment_id)
        self._context.on_change()


def redeploy(api: HttpApi, now: str) -> None:
    """Gives each stage that deploys automatically the API as it is; for after each change."""
    for name in [name for name, stage in api.stages.items() if stage["AutoDeploy"]]:
        deploy_stage(api, name, now)
    _prune(api)


def deploy_stage(api: HttpApi, name: str, now: str) -> None:
    """Gives one stage the API as it is; without routes there is nothing to deploy."""
    if not api.routes:
        message = f"Deployment attempt failed: {_NO_ROUTES}"
        api.stages[name] = {**api.stages[name], "LastDeploymentStatusMessage": message}
        return
    description = "Automatic deployment triggered by changes to the Api configuration"
    deployment_id = _deploy(api, now, automatic=True, description=description)["DeploymentId"]
    message = f"Successfully deployed stage with deployment ID '{deployment_id}'"
    point(api, name, deployment_id, now)
    api.stages[name] = {**api.stages[name], "LastDeploymentStatusMessage": message}


def point(api: HttpApi, stage_name: str, deployment_id: str, now: str) -> None:
    """Lets a stage serve a deployment."""
    changes = {"DeploymentId": deployment_id, "LastUpdatedDate": now}
    api.stages[stage_name] = {**api.stages[stage_name], **changes}


def _deploy(api: HttpApi, now: str, *, automatic: bool, description: str | None) -> Document:
    deployment: Document = {
        "DeploymentId": new_id(6, api.deployments),
        "AutoDeployed": automatic,
        "CreatedDate": now,
        "DeploymentStatus": "DEPLOYED",
    }
    if description is not None:
        deployment["Description"] = description
    api.deployments[deployment["DeploymentId"]] = deployment
    api.configurations[deployment["DeploymentId"]] = api.freeze()
    return deployment


def _used(api: HttpApi) -> set[str]:
    return {stage["DeploymentId"] for stage in api.stages.values() if "DeploymentId" in stage}


def _prune(api: HttpApi) -> None:
    used = _used(api)
    unused = [
        deployment_id
        for deployment_id, deployment in api.deployments.items()
        if deployment["AutoDeployed"] and deployment_id not in used
    ]
    for deployment_id in unused[:-_UNUSED_AUTOMATIC_KEPT]:
        _forget(api, deployment_id)


def _forget(api: HttpApi, deployment_id: str) -> None:
    del api.deployments[deployment_id]
    del api.configurations[deployment_id]
