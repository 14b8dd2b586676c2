"""REST and HTTP APIs that the steps build, deploy and call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from tests.contract.account import REGION, Account
from tests.contract.functions import arn_of

STAGE = "prod"


class RestApi:
    """A REST API under construction; it is removed after the step."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.client = account.client("apigateway")
        self.name = account.name("api")
        created = self.client.create_rest_api(name=self.name)
        self.id = str(created["id"])
        account.later(self.client.delete_rest_api, restApiId=self.id)
        self._resources = {"/": str(created["rootResourceId"])}

    def resource(self, path: str) -> str:
        """The id of a resource of one segment, which is made where there is none."""
        if path not in self._resources:
            created = self.client.create_resource(
                restApiId=self.id, parentId=self._resources["/"], pathPart=path.removeprefix("/")
            )
            self._resources[path] = str(created["id"])
        return self._resources[path]

    def method(self, path: str, method: str = "GET", **settings: Any) -> dict[str, str]:
        """A new method without an integration: what names it in further calls."""
        named = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": method}
        self.client.put_method(**named, **{"authorizationType": "NONE", **settings})
        return named

    def mock(self, path: str, body: str = '{"ok":true}', **settings: Any) -> dict[str, str]:
        """A GET that API Gateway answers itself, with 200."""
        named = self.method(path, **settings)
        self.client.put_method_response(**named, statusCode="200")
        self.client.put_integration(
            **named, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
        )
        self.client.put_integration_response(
            **named, statusCode="200", responseTemplates={"application/json": body}
        )
        return named

    def proxy(self, path: str, function: str, **settings: Any) -> dict[str, str]:
        """A GET that a function answers, which may be invoked for it."""
        named = self.method(path)
        self.client.put_integration(
            **named,
            **{
                "type": "AWS_PROXY",
                "integrationHttpMethod": "POST",
                "uri": invocation_uri(arn_of(self._account, function)),
                **settings,
            },
        )
        allow(self._account, function, self.id)
        return named

    def deploy(self, stage: str = STAGE) -> str:
        """The id of a new deployment, which the stage serves from now on."""
        return str(self.client.create_deployment(restApiId=self.id, stageName=stage)["id"])

    def patch_stage(self, values: Mapping[str, str]) -> dict[str, Any]:
        """The stage after values are replaced, by their paths."""
        operations = [
            {"op": "replace", "path": path, "value": value} for path, value in values.items()
        ]
        return dict(
            self.client.update_stage(restApiId=self.id, stageName=STAGE, patchOperations=operations)
        )

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """The deployed API's answer to a GET."""
        url = self._account.api_url(self.id, more.pop("stage", STAGE), path)
        return self._account.fetch(url, headers=headers, **more)


class HttpApi:
    """An HTTP API with a `$default` stage that deploys by itself; it is removed after the step."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.client = account.client("apigatewayv2")
        self.name = account.name("api")
        self.id = str(self.client.create_api(Name=self.name, ProtocolType="HTTP")["ApiId"])
        account.later(self.client.delete_api, ApiId=self.id)

    def integration(self, function: str, **settings: Any) -> str:
        """The id of a new Lambda integration, with the permission that it needs."""
        created = self.client.create_integration(
            ApiId=self.id,
            **{
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": arn_of(self._account, function),
                "PayloadFormatVersion": "2.0",
                **settings,
            },
        )
        allow(self._account, function, self.id)
        return str(created["IntegrationId"])

    def route(self, key: str, integration: str) -> str:
        """The id of a new route."""
        created = self.client.create_route(
            ApiId=self.id, RouteKey=key, Target=f"integrations/{integration}"
        )
        return str(created["RouteId"])

    def stage(self, name: str = STAGE, **settings: Any) -> dict[str, Any]:
        """A new stage that deploys by itself."""
        return dict(
            self.client.create_stage(ApiId=self.id, StageName=name, AutoDeploy=True, **settings)
        )

    def get(self, path: str, **more: Any) -> httpx.Response:
        """The API's answer to a GET in the stage."""
        return self._account.fetch(self._account.api_url(self.id, STAGE, path), **more)


def invocation_uri(function_arn: str) -> str:
    """A function as API Gateway's own ARNs name it."""
    return (
        f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function_arn}/invocations"
    )


def allow(account: Account, function: str, api_id: str) -> None:
    """Lets an API invoke a function; once is enough for all of its methods."""
    functions = account.client("lambda")
    try:
        functions.add_permission(
            FunctionName=function,
            StatementId=f"api-{api_id}",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{REGION}:{account.id}:{api_id}/*",
        )
    except functions.exceptions.ResourceConflictException:
        return
