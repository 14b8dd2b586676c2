"""Answers of CloudFormation to ListStackResources, as it was recorded to give them."""

from __future__ import annotations

from tests.core.aws_server import answer

NAMESPACE = 'xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"'
LAMBDA, NESTED = "AWS::Lambda::Function", "AWS::CloudFormation::Stack"


def resource(logical: str, physical: str, kind: str, status: str = "CREATE_COMPLETE") -> str:
    name = f"<PhysicalResourceId>{physical}</PhysicalResourceId>" if physical else ""
    return (
        f"<member><LogicalResourceId>{logical}</LogicalResourceId>{name}"
        f"<ResourceType>{kind}</ResourceType><ResourceStatus>{status}</ResourceStatus>"
        "<LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp></member>"
    )


def page(*resources: str, token: str = "") -> bytes:
    more = f"<NextToken>{token}</NextToken>" if token else ""
    body = (
        f"<ListStackResourcesResponse {NAMESPACE}><ListStackResourcesResult>"
        f"<StackResourceSummaries>{''.join(resources)}</StackResourceSummaries>{more}"
        "</ListStackResourcesResult></ListStackResourcesResponse>"
    )
    return answer(body.encode(), "Content-Type: text/xml")


def refusal(code: str, message: str, status: str = "400 Bad Request") -> bytes:
    body = (
        f"<ErrorResponse {NAMESPACE}><Error><Type>Sender</Type><Code>{code}</Code>"
        f"<Message>{message}</Message></Error></ErrorResponse>"
    )
    return answer(body.encode(), "Content-Type: text/xml", status=status)
