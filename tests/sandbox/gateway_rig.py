"""APIs made through boto3 for the tests of the data plane, and plain HTTP requests to them."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

ACCOUNT = "000000000000"
REGION = "us-east-1"


def invocation_uri(function: str) -> str:
    return (
        f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/"
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}/invocations"
    )


@dataclass
class Answer:
    """An answer as a client sees it; header names in lower case.

    `headers` has the last value of a name that is repeated, `all_headers` every one in order.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    all_headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def send(
    endpoint_url: str,
    path: str,
    method: str = "GET",
    *,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    timeout_s: float = 30.0,
) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(endpoint_url).netloc, timeout=timeout_s)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        pairs = [(name.lower(), value) for name, value in answer.getheaders()]
        return Answer(answer.status, dict(pairs), answer.read(), pairs)
    finally:
        connection.close()


@dataclass
class RestRig:
    """A REST API in the making, and the requests to it."""

    endpoint_url: str
    client: Any  # apigateway
    functions: Any  # lambda
    api_id: str = ""
    stage: str = "prod"
    resources: dict[str, str] = field(default_factory=dict)

    def create(self, name: str, **settings: Any) -> RestRig:
        self.api_id = self.client.create_rest_api(name=name, **settings)["id"]
        root = self.client.get_resources(restApiId=self.api_id)["items"][0]["id"]
        self.resources["/"] = root
        return self

    def resource(self, path: str) -> str:
        if path not in self.resources:
            parent, _, part = path.rpartition("/")
            made = self.client.create_resource(
                restApiId=self.api_id, parentId=self.resource(parent or "/"), pathPart=part
            )
            self.resources[path] = made["id"]
        return self.resources[path]

    def method(self, path: str, method: str = "GET", **settings: Any) -> dict[str, str]:
        where = {
            "restApiId": self.api_id,
            "resourceId": self.resource(path),
            "httpMethod": method,
        }
        self.client.put_method(**where, **{"authorizationType": "NONE", **settings})
        return where

    def mock(
        self,
        path: str,
        method: str = "GET",
        *,
        template: str = '{"statusCode": 200}',
        body: str = '{"ok":true}',
        integration: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        where = self.method(path, method, **settings)
        self.client.put_integration(
            **where,
            type="MOCK",
            requestTemplates={"application/json": template},
            **(integration or {}),
        )
        self.client.put_method_response(**where, statusCode="200")
        self.client.put_integration_response(
            **where, statusCode="200", responseTemplates={"application/json": body}
        )

    def function(
        self, path: str, function: str, method: str = "GET", *, allow: bool = True, **settings: Any
    ) -> None:
        integration = settings.pop("integration", {})
        where = self.method(path, method, **settings)
        self.client.put_integration(
            **where,
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=invocation_uri(function),
            **integration,
        )
        if allow:
            self.allow(function)

    def allow(self, function: str) -> None:
        self.functions.add_permission(
            FunctionName=function,
            StatementId=f"api-{self.api_id}-{len(self.resources)}",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.api_id}/*",
        )

    def deploy(self, *patches: tuple[str, str]) -> RestRig:
        self.client.create_deployment(restApiId=self.api_id, stageName=self.stage)
        if patches:
            self.patch_stage(*patches)
        return self

    def patch_stage(self, *patches: tuple[str, str]) -> None:
        self.client.update_stage(
            restApiId=self.api_id,
            stageName=self.stage,
            patchOperations=[{"op": "replace", "path": p, "value": v} for p, v in patches],
        )

    @property
    def base(self) -> str:
        return f"/_aws/execute-api/{self.api_id}/{self.stage}"

    def get(self, path: str, method: str = "GET", **options: Any) -> Answer:
        return send(self.endpoint_url, self.base + path, method, **options)


@dataclass
class HttpRig:
    """An HTTP API in the making, and the requests to it."""

    endpoint_url: str
    client: Any  # apigatewayv2
    functions: Any
    api_id: str = ""

    def create(self, name: str, **settings: Any) -> HttpRig:
        made = self.client.create_api(Name=name, ProtocolType="HTTP", **settings)
        self.api_id = made["ApiId"]
        return self

    def function(
        self, key: str, function: str, *, allow: bool = True, payload: str = "2.0", **route: Any
    ) -> None:
        integration = {
            "IntegrationUri": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}",
            "PayloadFormatVersion": payload,
            **route.pop("integration", {}),
        }
        made = self.client.create_integration(
            ApiId=self.api_id, IntegrationType="AWS_PROXY", **integration
        )
        target = f"integrations/{made['IntegrationId']}"
        self.client.create_route(ApiId=self.api_id, RouteKey=key, Target=target, **route)
        if allow:
            self.functions.add_permission(
                FunctionName=function,
                StatementId=f"api-{self.api_id}-{made['IntegrationId']}",
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
                SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.api_id}/*",
            )

    def deploy(self, **settings: Any) -> HttpRig:
        self.client.create_stage(
            ApiId=self.api_id, StageName="$default", AutoDeploy=True, **settings
        )
        return self

    def get(self, path: str, method: str = "GET", **options: Any) -> Answer:
        return send(self.endpoint_url, f"/_aws/execute-api/{self.api_id}{path}", method, **options)
