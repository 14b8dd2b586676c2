"""The segment of a request to a stage, as API Gateway writes it.

The members are those of "AWS X-Ray trace data in API Gateway" (developer guide, 2026): the request,
its answer, and a subsegment for each service that was called.
"""

from __future__ import annotations

import random

from sandbox.gateway.exchange import SOURCE_IP, Exchange
from sandbox.gateway.snapshot import HttpIntegration, LambdaAuthorizer, LambdaIntegration
from sandbox.lambda_api.names import FunctionReference
from sandbox.xray.sampling import Tracing
from sandbox.xray.store import Segment


def gateway_segment(exchange: Exchange, tracing: Tracing) -> Segment:
    """The segment of a request that has been answered."""
    stage, start_s = exchange.stage, exchange.arrived_wall_s
    region = exchange.home.region
    segment: Segment = {
        "id": tracing.id,
        "name": f"{stage.api_name}/{stage.name}",
        "start_time": start_s,
        "end_time": start_s + exchange.latency_ms / 1000,
        "trace_id": tracing.root,
        "origin": "AWS::ApiGateway::Stage",
        "resource_arn": f"arn:aws:apigateway:{region}::/restapis/{stage.api_id}/stages/"
        f"{stage.name}",
        "http": {
            "request": {
                "url": f"https://{stage.api_id}.execute-api.{region}.amazonaws.com"
                f"{exchange.stage_path}",
                "method": exchange.request.method,
                "client_ip": SOURCE_IP,
                "x_forwarded_for": True,
                "user_agent": exchange.request.text_header(b"user-agent") or "",
            },
            "response": {
                "status": exchange.status,
                "content_length": exchange.response_bytes,
            },
        },
        "aws": {
            "api_gateway": {
                "account_id": exchange.home.account_id,
                "rest_api_id": stage.api_id,
                "stage": stage.name,
                "request_id": exchange.request.id,
            }
        },
        "annotations": {"aws:api_id": stage.api_id, "aws:api_stage": stage.name},
        "metadata": {
            "default": {
                "extended_request_id": exchange.extended_id,
                "request_id": exchange.request.id,
            }
        },
        **flags(exchange.status),
    }
    if tracing.parent is not None:
        segment["parent_id"] = tracing.parent
    parts = [*_authorizer(exchange), *_integration(exchange, tracing.child_id)]
    if parts:
        segment["subsegments"] = parts
    return segment


def flags(status: int) -> Segment:
    """What X-Ray calls a status: an error of the client (a throttle too), or a fault."""
    if status >= 500:
        return {"fault": True}
    if status >= 400:
        return {"error": True, **({"throttle": True} if status == 429 else {})}
    return {}


def _authorizer(exchange: Exchange) -> list[Segment]:
    latency_ms = exchange.authorizer_latency_ms
    authorizer = exchange.route.authorization if exchange.route else None
    if latency_ms is None or not isinstance(authorizer, LambdaAuthorizer):
        return []
    own_id = f"{random.getrandbits(64):016x}"
    start_s = exchange.arrived_wall_s
    status = exchange.authorizer_status or 0
    return [_called(exchange, own_id, authorizer.function, start_s, latency_ms, status)]


def _integration(exchange: Exchange, child_id: str) -> list[Segment]:
    latency_ms, began_s = exchange.integration_ms, exchange.integration_began_s
    if latency_ms is None or began_s is None:
        return []
    start_s = exchange.arrived_wall_s + began_s - exchange.arrived_s
    integration = exchange.route.integration if exchange.route else None
    match integration:
        case LambdaIntegration():
            status = exchange.integration_status or 0
            function = integration.function
            return [_called(exchange, child_id, function, start_s, latency_ms, status)]
        case HttpIntegration():
            return [
                {
                    "id": child_id,
                    "name": integration.url.split("/")[2] if "//" in integration.url else "",
                    "start_time": start_s,
                    "end_time": start_s + latency_ms / 1000,
                    "namespace": "remote",
                    "http": {"request": {"url": integration.url, "method": integration.method}},
                }
            ]
    return []


def _called(
    exchange: Exchange,
    own_id: str,
    function: FunctionReference,
    start_s: float,
    latency_ms: float,
    status: int,
) -> Segment:
    region = exchange.home.region
    arn = exchange.home.function_arn(function.name, function.qualifier)
    return {
        "id": own_id,
        "name": "Lambda",
        "start_time": start_s,
        "end_time": start_s + latency_ms / 1000,
        "namespace": "aws",
        "http": {
            "request": {
                "url": f"https://lambda.{region}.amazonaws.com/2015-03-31/functions/{arn}/invocations",
                "method": "POST",
            },
            "response": {"status": status},
        },
        "aws": {
            "function_name": function.name,
            "operation": "Invoke",
            "region": region,
            "resource_names": [function.name],
        },
        **flags(status),
    }
