"""Lambda's control plane in this process: each call is recorded, and anything may come between.

The operations are those of the sandbox, without its front: thousands of runs take seconds, and
what happens between two calls is exact. Changes are in progress for a number of reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, cast

from botocore.exceptions import ClientError

from sandbox.api_errors import ApiError
from sandbox.lambda_api.context import LambdaContext, LambdaOptions
from sandbox.lambda_api.functions import FunctionOperations
from sandbox.lambda_api.names import LATEST, Home
from sandbox.lambda_api.records import Code, Function, Settings, Version, new_id, now_text
from sandbox.lambda_api.store import FunctionStore
from sandbox.lambda_api.versions import VersionOperations

NAME = "orders"
HOME = Home("123456789012", "us-east-1")
ARN = HOME.function_arn(NAME)

Moment = Literal["before", "after"]
# "call" or "change", and its number.
Place = tuple[Literal["call", "change"], int]
_READS = ("GetFunction", "ListVersionsByFunction")


class _Context(LambdaContext):
    """Changes settle by the number of reads in the place of time."""

    def change(self, function: Function) -> Function:
        self.store.put(function)
        return function

    def retire(self, name: str, version: str | None = None) -> None:
        """Nothing runs that could be stopped."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of whoever holds the client, with its parameters and what it was answered."""

    operation: str
    parameters: dict[str, Any]
    answer: dict[str, Any] | None


@dataclass
class LambdaFake:
    """One function, and a client for it.

    `between` is called before and after each call is carried out, with its place: the numbers of
    calls, and those of changing calls, each from 0 on. `carried_out_twice` has the numbers of
    changing calls whose first answer is lost: boto3 sends them again.
    """

    between: Callable[[Place, Moment], None] = lambda place, moment: None
    carried_out_twice: frozenset[int] = frozenset()
    reads_until_settled: int = 1
    calls: list[Call] = field(default_factory=list)
    _reads: int = 0
    _numbers: int = 0
    _changes: int = 0

    def __post_init__(self) -> None:
        settings = Settings(
            runtime="python3.12",
            handler="app.handler",
            role="arn:aws:iam::123456789012:role/orders",
            description="takes orders",
            timeout_s=30,
            memory_mb=256,
        )
        code = Code("b3JkZXJz", 100)
        latest = Version(LATEST, settings, code, new_id(), new_id(), now_text())
        self._context = _Context(
            HOME,
            LambdaOptions(),
            FunctionStore(),
            cast("Any", SimpleNamespace(zip_path=lambda code: Path("code.zip"))),
            cast("Any", None),
            "http://127.0.0.1",
        )
        self._context.store.put(Function(NAME, latest, latest))
        functions, versions = FunctionOperations(self._context), VersionOperations(self._context)
        self._operations: dict[str, Any] = {**functions.operations(), **versions.operations()}
        self.meta = SimpleNamespace(endpoint_url="https://lambda.us-east-1.amazonaws.com")

    # What the client of the run offers, by boto3's names.

    def get_function(self, **parameters: Any) -> dict[str, Any]:
        return self._call("GetFunction", parameters)

    def update_function_configuration(self, **parameters: Any) -> dict[str, Any]:
        return self._call("UpdateFunctionConfiguration", parameters)

    def publish_version(self, **parameters: Any) -> dict[str, Any]:
        return self._call("PublishVersion", parameters)

    def delete_function(self, **parameters: Any) -> dict[str, Any]:
        return self._call("DeleteFunction", parameters)

    def get_paginator(self, operation: str) -> LambdaFake:
        assert operation == "list_versions_by_function"
        return self

    def paginate(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        yield self._call("ListVersionsByFunction", parameters)

    @property
    def numbers(self) -> tuple[int, int]:
        """How many calls, and how many changing ones, were made so far."""
        return self._numbers, self._changes

    # What somebody else does, who waits until updates are over.

    @property
    def function(self) -> Function:
        """The function as it is."""
        found = self._context.store.get(NAME)
        assert found is not None
        return found

    def configure(self, **parameters: Any) -> None:
        """Somebody changes settings."""
        self._settle()
        self._operations["UpdateFunctionConfiguration"]({"FunctionName": NAME, **parameters})
        self._updating()

    def deploy(self, sha256: str) -> None:
        """Somebody deploys other code."""
        self._settle()
        latest = replace(self.function.latest, code=Code(sha256, 100), revision_id=new_id())
        self._context.store.put(replace(self.function, latest=latest, updating=True))
        self._updating()

    def publish(self, **parameters: Any) -> dict[str, Any]:
        """Somebody publishes a version."""
        self._settle()
        answer: dict[str, Any] = self._operations["PublishVersion"](
            {"FunctionName": NAME, **parameters}
        )
        return answer

    def recreate(self) -> None:
        """Somebody deletes the function and makes it anew, so that its versions begin at 1."""
        self._settle()
        latest = replace(self.function.latest, revision_id=new_id(), config_id=new_id())
        self._context.store.put(Function(NAME, latest, latest))

    def _updating(self) -> None:
        """An update has begun, which the next call of the run may meet, or find over already."""
        self._reads = self.reads_until_settled
        if self._reads == 0:
            self._settle()

    def _settle(self) -> None:
        if self.function.updating:
            self._context.store.put(self.function.settled())

    def _call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        places: list[Place] = [("call", self._numbers)]
        self._numbers += 1
        twice = False
        if operation not in _READS:
            places.append(("change", self._changes))
            twice = self._changes in self.carried_out_twice
            self._changes += 1
        for place in places:
            self.between(place, "before")
        if twice:
            self._carry_out(operation, parameters)
        answer = self._carry_out(operation, parameters)
        for place in places:
            self.between(place, "after")
        if isinstance(answer, ApiError):
            error = {"Code": answer.code, "Message": answer.message}
            raise ClientError({"Error": error}, operation)
        return answer

    def _carry_out(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any] | ApiError:
        if operation == "GetFunction":
            if self._reads == 0:
                self._settle()
            self._reads = max(0, self._reads - 1)
        try:
            answer: dict[str, Any] = self._operations[operation](parameters)
        except ApiError as error:
            self.calls.append(Call(operation, parameters, None))
            return error
        if operation == "UpdateFunctionConfiguration":
            self._reads = self.reads_until_settled
        self.calls.append(Call(operation, parameters, answer))
        return answer
