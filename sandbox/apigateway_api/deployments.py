"""Deployments: what an API looked like when it was deployed."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace

from sandbox.apigateway_api.canaries import complete_canary, with_canary
from sandbox.apigateway_api.context import (
    Operation,
    Output,
    Parameters,
    RestApiContext,
    chosen,
    shown,
)
from sandbox.apigateway_api.paging import page
from sandbox.apigateway_api.patching import Member, Rules, patched, read_patches
from sandbox.apigateway_api.refusing import bad_request
from sandbox.apigateway_api.stages import check_room, finish, new_stage
from sandbox.apigateway_api.state import SHORT_ID, Deployment, Document, RestApi, new_id

_RULES: Rules = {"/description": Member()}
_OF_STAGE = (
    "stageName",
    "cacheClusterEnabled",
    "cacheClusterSize",
    "variables",
    "tracingEnabled",
)


class DeploymentOperations:
    """The operations on deployments."""

    def __init__(self, context: RestApiContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {
            "CreateDeployment": self.create,
            "GetDeployment": self.get,
            "GetDeployments": self.list,
            "UpdateDeployment": self.update,
            "DeleteDeployment": self.delete,
        }

    def create(self, parameters: Parameters) -> Output:
        """Deploys an API as it is, to a stage where one is named."""
        api = self._context.api(parameters)
        _check_complete(api)
        if parameters.get("stageName"):
            check_room(api, parameters["stageName"])
        deployment = self._freeze(api, parameters)
        identifier = deployment.document["id"]
        if "canarySettings" in parameters:
            self._set_canary(api, parameters, deployment)
        elif parameters.get("stageName"):
            settings = chosen(parameters, _OF_STAGE)
            if parameters.get("stageDescription"):
                settings["description"] = parameters["stageDescription"]
            stage = new_stage(
                {**settings, "deploymentId": identifier},
                self._context.now_s(),
                api.stages.get(parameters["stageName"]),
            )
            api.stages[stage["stageName"]] = stage
        api.deployments[identifier] = deployment
        return shown(deployment.document)

    def get(self, parameters: Parameters) -> Output:
        """One deployment; with `embed=apisummary` its methods."""
        api = self._context.api(parameters)
        deployment = api.deployment(parameters["deploymentId"])
        output = shown(deployment.document)
        if "apisummary" in parameters.get("embed", ()):
            output["apiSummary"] = _summary(deployment)
        return output

    def list(self, parameters: Parameters) -> Output:
        """One page of the deployments."""
        deployments = self._context.api(parameters).deployments
        return page({key: shown(it.document) for key, it in deployments.items()}, parameters)

    def update(self, parameters: Parameters) -> Output:
        """Changes the description of a deployment."""
        deployment = self._context.api(parameters).deployment(parameters["deploymentId"])
        deployment.document = patched(deployment.document, read_patches(parameters), _RULES)
        return shown(deployment.document)

    def delete(self, parameters: Parameters) -> None:
        """Deletes a deployment that no stage serves."""
        api = self._context.api(parameters)
        identifier = api.deployment(parameters["deploymentId"]).document["id"]
        if any(identifier in _served(stage) for stage in api.stages.values()):
            raise bad_request("Active stages pointing to this deployment must be moved or deleted")
        del api.deployments[identifier]

    def _set_canary(self, api: RestApi, parameters: Parameters, deployment: Deployment) -> None:
        """Serves a deployment as the canary of a stage, which goes on serving its own."""
        old = api.stages.get(parameters.get("stageName") or "")
        if old is None:
            raise bad_request("Canary settings need a stageName that names a stage")
        identifier = deployment.document["id"]
        stage = with_canary(old, parameters["canarySettings"], identifier)
        complete_canary(stage, replace(api, deployments={identifier: deployment}))
        finish(stage, self._context.now_s())
        api.stages[old["stageName"]] = stage

    def _freeze(self, api: RestApi, parameters: Parameters) -> Deployment:
        document = {
            "id": new_id(SHORT_ID, api.deployments),
            "createdDate": self._context.now_s(),
            **chosen(parameters, ("description",)),
        }
        return Deployment(
            document,
            copy.deepcopy(api.resources),
            copy.deepcopy(api.authorizers),
            copy.deepcopy(api.gateway_responses),
        )


def _check_complete(api: RestApi) -> None:
    methods = [method for _, method in api.methods()]
    if not methods:
        raise bad_request("The REST API doesn't contain any methods")
    if any("methodIntegration" not in method for method in methods):
        raise bad_request("No integration defined for method")


def _served(stage: Document) -> tuple[str | None, ...]:
    """The ids of the deployments that a stage serves."""
    return stage["deploymentId"], stage.get("canarySettings", {}).get("deploymentId")


def _summary(deployment: Deployment) -> Document:
    """The methods of a deployment by path, and how each is protected."""
    return {
        resource["path"]: {
            name: chosen(method, ("authorizationType", "apiKeyRequired"))
            for name, method in resource["resourceMethods"].items()
        }
        for resource in deployment.resources.values()
        if resource.get("resourceMethods")
    }
