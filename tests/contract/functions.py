"""Functions that the steps create, and how they wait for them."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from tests.contract.account import Account, until

# The oldest runtime that all targets of today run with the Python of this machine.
RUNTIME = "python3.11"

ECHO = (
    "def handler(event, context):\n"
    "    return {'event': event, 'version': context.function_version}\n"
)
RAISES = "def handler(event, context):\n    raise ValueError('no such order')\n"
SLEEPS = "import time\ndef handler(event, context):\n    time.sleep(3)\n"


def package(source: str) -> bytes:
    """A deployment package; equal sources give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("app.py")
        # Readable for all: a target may unpack it as another user.
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, source)
    return buffer.getvalue()


def answers(status: int = 200, body: str = "{}", **headers: str) -> str:
    """The source of a function that answers an API as a proxy integration wants it."""
    answer = {"statusCode": status, "headers": headers, "body": body}
    return f"def handler(event, context):\n    return {answer!r}\n"


def new_function(account: Account, source: str = ECHO, **settings: Any) -> str:
    """The name of a new function that is ready; it is removed after the step."""
    name = account.name("fn")
    create(account, name, source, **settings)
    settled(account, name)
    return name


def create(account: Account, name: str, source: str = ECHO, **settings: Any) -> dict[str, Any]:
    """What CreateFunction answers; the function is removed after the step."""
    functions = account.client("lambda")
    answer = functions.create_function(
        FunctionName=name,
        Role=account.role,
        **{
            "Runtime": RUNTIME,
            "Handler": "app.handler",
            "Code": {"ZipFile": package(source)},
            **settings,
        },
    )
    account.later(functions.delete_function, FunctionName=name)
    return dict(answer)


def settled(account: Account, name: str) -> dict[str, Any]:
    """The configuration of a function when nothing is in progress any more."""

    def configuration() -> dict[str, Any] | None:
        shown = account.client("lambda").get_function_configuration(FunctionName=name)
        is_ready = (shown.get("State"), shown.get("LastUpdateStatus")) == ("Active", "Successful")
        return dict(shown) if is_ready else None

    return dict(until(configuration))


def changed(account: Account, name: str, **settings: Any) -> dict[str, Any]:
    """The configuration of a function after a change of it."""
    account.client("lambda").update_function_configuration(FunctionName=name, **settings)
    return settled(account, name)


def call(account: Account, name: str, event: Any = None, **more: Any) -> dict[str, Any]:
    """What Invoke answers, with its payload read and parsed."""
    answer = account.client("lambda").invoke(
        FunctionName=name, Payload=json.dumps(event).encode(), **more
    )
    text = answer["Payload"].read()
    return {**answer, "Payload": json.loads(text) if text else None}


def arn_of(account: Account, name: str) -> str:
    """The ARN of a function."""
    shown = account.client("lambda").get_function_configuration(FunctionName=name)
    return str(shown["FunctionArn"])
