"""The functions of a deployed stack, from answers of CloudFormation on the loopback interface."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

import pytest

from core.aws.session import AwsSession
from core.aws.stacks import StackContents, StackFunction, is_stack_name, read_stack
from core.errors import AwsError, InputError
from tests.core.aws_server import Request, aws_server
from tests.core.stack_answers import LAMBDA, NESTED, page, refusal, resource

ARN = "arn:aws:cloudformation:us-east-1:123456789012:stack/shop/0a1b"


def read(respond: Callable[[Request], bytes], stack: str = "shop") -> StackContents:
    with aws_server(respond) as server:
        return read_stack(AwsSession(local=server.access), stack)


def test_functions_come_from_all_pages_by_their_names() -> None:
    asked: list[dict[str, list[str]]] = []

    def respond(request: Request) -> bytes:
        asked.append(parse_qs(request.body.decode()))
        if "NextToken" not in asked[-1]:
            return page(
                resource("Table", "shop-table", "AWS::DynamoDB::Table"),
                resource("Pay", "shop-Pay-1X", LAMBDA, "UPDATE_COMPLETE"),
                resource("Inner", "arn:inner", NESTED),
                token="more",
            )
        return page(
            resource("Order", "shop-Order-2Y", LAMBDA),
            resource("Gone", "shop-Gone-3Z", LAMBDA, "DELETE_COMPLETE"),
            resource("Coming", "", LAMBDA, "CREATE_IN_PROGRESS"),
        )

    found = read(respond)

    assert found.functions == (
        StackFunction("Order", "shop-Order-2Y"),
        StackFunction("Pay", "shop-Pay-1X"),
    )
    assert found.nested == ("Inner",)
    assert [request["Action"] for request in asked] == [["ListStackResources"]] * 2
    assert asked[0]["StackName"] == ["shop"]
    assert asked[1]["NextToken"] == ["more"]


@pytest.mark.parametrize(
    ("response", "kind", "message"),
    [
        pytest.param(
            refusal("ValidationError", "Stack with id shop does not exist"),
            InputError,
            r"stack 'shop': not found in us-east-1 \(check name",
            id="no stack",
        ),
        pytest.param(
            refusal("AccessDenied", "User is not authorized", "403 Forbidden"),
            AwsError,
            r"read stack shop: AccessDenied: .*takes cloudformation:ListStackResources",
            id="no permission",
        ),
        pytest.param(
            refusal("ValidationError", "odd"), AwsError, "could not read stack shop", id="another"
        ),
        pytest.param(page(token="again"), AwsError, "never ends its list", id="endless"),
    ],
)
def test_a_refusal_says_what_to_do(
    response: bytes, kind: type[AwsError | InputError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        read(lambda request: response)


def test_a_stack_of_another_region_is_not_asked_for() -> None:
    with pytest.raises(InputError, match=r"is in eu-west-1, .* us-east-1 .give --region eu-west-1"):
        read(lambda request: page(), ARN.replace("us-east-1", "eu-west-1"))


@pytest.mark.parametrize("text", ["shop", "shop-prod-2", ARN])
def test_names_and_arns_of_stacks_are_known(text: str) -> None:
    assert is_stack_name(text)


@pytest.mark.parametrize("text", ["", "template.yaml", "a/b", "2shop", "shop_1", f"{ARN}/x/y"])
def test_other_texts_are_no_stacks(text: str) -> None:
    assert not is_stack_name(text)
