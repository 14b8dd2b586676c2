"""The Lambda functions of a deployed CloudFormation stack; the only thing asked of CloudFormation.

What nested stacks have is not looked for: they are named, so that nobody takes them for read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from core.aws.session import AwsSession, aws_call
from core.errors import AwsError, InputError

_STACK = re.compile(
    r"[A-Za-z][A-Za-z0-9-]{0,127}"
    r"|arn:[^:]+:cloudformation:(?P<region>[^:]+):\d{12}:stack/[A-Za-z0-9-]+/[A-Za-z0-9-]+"
)
# A stack has 500 resources at most, and a page 100 or fewer.
_MOST_PAGES = 50
_GONE = "DELETE_COMPLETE"
_REFUSALS = frozenset({"AccessDenied", "AccessDeniedException"})


class StacksClient(Protocol):
    """What of boto3's client for `cloudformation` is used."""

    def list_stack_resources(self, *, StackName: str, **more: str) -> Mapping[str, Any]:
        """boto3's ListStackResources."""
        ...


@dataclass(frozen=True, slots=True)
class StackFunction:
    """A function by its name in the template, and the name that it has."""

    logical_id: str
    name: str


@dataclass(frozen=True, slots=True)
class StackContents:
    """What of a stack matters here; `nested` are the logical ids of stacks within it."""

    functions: tuple[StackFunction, ...]
    nested: tuple[str, ...]


def is_stack_name(text: str) -> bool:
    """Whether `text` can be the name or the ARN of a stack."""
    return _STACK.fullmatch(text) is not None


def read_stack(session: AwsSession, stack: str) -> StackContents:
    """The functions of a deployed stack, given by name or ARN, in the order of their names.

    Raises:
        InputError: when there is no such stack in the region.
        AwsError: when CloudFormation does not say, or may not be asked.
    """
    match = _STACK.fullmatch(stack)
    region = match["region"] if match else None
    if region not in (None, session.region):
        raise InputError(
            f"stack {stack!r} is in {region}, and the region of this run is {session.region}",
            hint=f"give --region {region}",
        )
    functions, nested = [], []
    for resource in _resources(session, stack):
        kind, name = resource.get("ResourceType"), resource.get("PhysicalResourceId")
        if not name or resource.get("ResourceStatus") == _GONE:
            continue
        if kind == "AWS::Lambda::Function":
            functions.append(StackFunction(str(resource["LogicalResourceId"]), str(name)))
        elif kind == "AWS::CloudFormation::Stack":
            nested.append(str(resource["LogicalResourceId"]))
    functions.sort(key=lambda function: function.logical_id)
    return StackContents(tuple(functions), tuple(sorted(nested)))


def _resources(session: AwsSession, stack: str) -> Iterator[Mapping[str, Any]]:
    client = session.stacks()
    more: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        try:
            with aws_call(f"read stack {stack}"):
                page = client.list_stack_resources(StackName=stack, **more)
        except AwsError as error:
            raise _refusal(stack, session.region, error) from error
        yield from page.get("StackResourceSummaries", [])
        token = page.get("NextToken")
        if not token:
            return
        more = {"NextToken": str(token)}
    raise AwsError(f"could not read stack {stack}: CloudFormation never ends its list")


def _refusal(stack: str, region: str, error: AwsError) -> AwsError | InputError:
    """The error with what to do about it."""
    if error.code == "ValidationError" and "does not exist" in str(error):
        return InputError(
            f"stack {stack!r}: not found in {region}",
            hint="check name and --region; a template is given by its path",
        )
    if error.code in _REFUSALS:
        return AwsError(
            str(error), code=error.code, hint="it takes cloudformation:ListStackResources"
        )
    return error
