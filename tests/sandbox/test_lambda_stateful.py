"""Versions and aliases in any order of operations, against a model of a few lines."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from sandbox.api_errors import ApiError
from sandbox.execution.contract import InvokeRequest, InvokeResult, VersionSpec
from sandbox.lambda_api.aliases import AliasOperations
from sandbox.lambda_api.context import LambdaContext, LambdaOptions
from sandbox.lambda_api.functions import FunctionOperations
from sandbox.lambda_api.names import Home
from sandbox.lambda_api.packages import PackageStore
from sandbox.lambda_api.records import Code, Function, Settings, Version
from sandbox.lambda_api.store import FunctionStore
from sandbox.lambda_api.versions import VersionOperations

NAME = {"FunctionName": "f"}
MEMORY_MB = st.sampled_from([128, 256, 512])
ALIASES = st.sampled_from(["blue", "green"])


class NoExecutor:
    """Runs nothing: these tests never invoke."""

    async def invoke(self, spec: VersionSpec, request: InvokeRequest) -> InvokeResult:
        raise NotImplementedError

    def has_idle(self, spec: VersionSpec) -> bool:
        return False

    async def retire(self, function_name: str, version: str | None = None) -> None:
        return

    async def close(self) -> None:
        return


class VersionsAndAliases(RuleBasedStateMachine):
    published = Bundle("published")

    def __init__(self) -> None:
        super().__init__()
        self._directory = tempfile.TemporaryDirectory()
        path = Path(self._directory.name)
        self._state = path / "state.json"
        self._context = LambdaContext(
            home=Home("000000000000", "us-east-1"),
            options=LambdaOptions(update_s=0),
            store=FunctionStore(self._state),
            packages=PackageStore(path / "code"),
            executor=NoExecutor(),
            package_url="",
        )
        configured = Settings("python3.12", "a.b", "role", memory_mb=128)
        latest = Version("$LATEST", configured, Code("", 0), "r", "c", "t")
        self._context.store.put(Function("f", latest, latest))
        self._functions = FunctionOperations(self._context)
        self._versions = VersionOperations(self._context)
        self._aliases = AliasOperations(self._context)
        # The model: memory by version, version by alias, and what has been published last.
        self.memory_mb = 128
        self.versions: dict[str, int] = {}
        self.aliases: dict[str, str] = {}
        self.last = 0

    def teardown(self) -> None:
        self._directory.cleanup()

    def call(self, operation: Any, **parameters: Any) -> dict[str, Any] | str:
        """What an operation answers: its output, or the code of its error."""

        async def run() -> Any:
            return operation({**NAME, **parameters})

        try:
            return asyncio.run(run()) or {}
        except ApiError as error:
            return error.code

    @rule(memory_mb=MEMORY_MB)
    def update(self, memory_mb: int) -> None:
        shown = self.call(self._functions.update_configuration, MemorySize=memory_mb)
        assert isinstance(shown, dict)
        self.memory_mb = memory_mb

    @rule(target=published)
    def publish(self) -> str:
        shown = self.call(self._versions.publish)
        assert isinstance(shown, dict)
        if self.versions.get(str(self.last)) != self.memory_mb:
            self.last += 1
            self.versions[str(self.last)] = self.memory_mb
        assert shown["Version"] == str(self.last)
        assert shown["MemorySize"] == self.memory_mb
        return str(self.last)

    @rule(number=consumes(published))
    def delete_version(self, number: str) -> None:
        answer = self.call(self._functions.delete, Qualifier=number)
        if number in self.aliases.values():
            assert answer == "ResourceConflictException"
        else:
            assert answer == {"StatusCode": 204}
            self.versions.pop(number, None)

    @rule(name=ALIASES, number=published)
    def create_alias(self, name: str, number: str) -> None:
        answer = self.call(self._aliases.create, Name=name, FunctionVersion=number)
        if name in self.aliases:
            assert answer == "ResourceConflictException"
        elif number not in self.versions:
            assert answer == "ResourceNotFoundException"
        else:
            assert isinstance(answer, dict)
            self.aliases[name] = number

    @rule(name=ALIASES, number=published)
    def move_alias(self, name: str, number: str) -> None:
        answer = self.call(self._aliases.update, Name=name, FunctionVersion=number)
        if name not in self.aliases or number not in self.versions:
            assert answer == "ResourceNotFoundException"
        else:
            assert isinstance(answer, dict)
            self.aliases[name] = number

    @rule(name=ALIASES)
    def delete_alias(self, name: str) -> None:
        assert self.call(self._aliases.delete, Name=name) == {}
        self.aliases.pop(name, None)

    @rule()
    def restart(self) -> None:
        self._context.store = FunctionStore(self._state)

    @invariant()
    def api_and_model_agree(self) -> None:
        versions = self.call(self._versions.list)
        aliases = self.call(self._aliases.list)
        assert isinstance(versions, dict)
        assert isinstance(aliases, dict)
        latest, *published = versions["Versions"]
        assert latest["MemorySize"] == self.memory_mb
        assert {v["Version"]: v["MemorySize"] for v in published} == self.versions
        assert {a["Name"]: a["FunctionVersion"] for a in aliases["Aliases"]} == self.aliases
        assert set(self.aliases.values()) <= self.versions.keys()


VersionsAndAliases.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None
)
TestVersionsAndAliases = VersionsAndAliases.TestCase
