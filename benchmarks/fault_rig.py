"""Functions to tune with all that a user owns of them, `tune` processes, and what both come to."""

from __future__ import annotations

import copy
import io
import json
import os
import random
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fault_proxy import Drop, FaultProxy, Verdict

from core.aws.session import AwsSession, LocalAccess

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

FIXED = ("--sizes", "128,512,1024", "--samples", "2")
ON_DEMAND = ("--cold-samples", "2")
# What changes by itself, or with every update.
VOLATILE = (
    "ResponseMetadata",
    "RevisionId",
    "LastModified",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "State",
    "StateReason",
    "StateReasonCode",
)
MODEL = json.dumps({"duration_ms": {"128": 8, "1024": 2, "3008": 2}, "init_ms": 5})
LONGEST_S = 120

State = dict[str, Any]


def zipped(source: str) -> bytes:
    """A deployment package with one handler module."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", source)
    return buffer.getvalue()


class World:
    """A local AWS with a function that nobody tunes, and the functions of the trials."""

    def __init__(self, access: LocalAccess, folder: Path) -> None:
        self.access = access
        self.folder = folder
        self.client = AwsSession(local=access).control_lambda()
        self.bystander = "bystander"
        self.usual_s: dict[tuple[str, ...], float] = {FIXED: 1.5, ON_DEMAND: 2.0}
        self._made = 0
        self._lock = threading.Lock()
        make_function(self.client, self.bystander)

    def measure_usual_times(self) -> None:
        """How long runs take in which nothing goes wrong, from their first call on."""
        for plan in (FIXED, ON_DEMAND):
            with self.rig(random.Random(0)) as rig:
                rig.ends_by_itself(rig.run(plan))
                if faults := rig.differences():
                    raise RuntimeError(f"a run without faults: {'; '.join(faults)}")
                self.usual_s[plan] = time.monotonic() - rig.first_call_s

    @contextmanager
    def rig(self, rng: random.Random, *, without_journal: bool = False) -> Iterator[Rig]:
        """A function of its own with a proxy of its own."""
        with self._lock:
            self._made += 1
            name = f"orders-{self._made}"
        make_function(self.client, name)
        address = urlsplit(self.access.endpoint_url)
        proxy = FaultProxy((address.hostname or "", address.port or 0))
        proxy.listen()
        rig = Rig(self, name, proxy, rng, without_journal)
        try:
            yield rig
        finally:
            rig.end()


def make_function(client: LambdaClient, name: str) -> None:
    """A function with versions, the last of which equals `$LATEST`, and with tempting aliases."""
    client.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/orders",
        Handler="handler.handler",
        Code={"ZipFile": zipped("def handler(event, context): return event")},
        MemorySize=256,
        Timeout=30,
        Description="takes orders",
        Environment={"Variables": {"SANDBOX_MODEL": MODEL, "STAGE": "prod"}},
        Tags={"team": "shop"},
    )
    settle(client, name)
    client.publish_version(FunctionName=name)
    client.update_function_configuration(FunctionName=name, MemorySize=512)
    settle(client, name)
    client.publish_version(FunctionName=name, Description="the live one")
    for alias, version in (("live", "2"), ("RAM512", "1"), ("tune-run", "2")):
        client.create_alias(FunctionName=name, Name=alias, FunctionVersion=version)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)


def settle(client: LambdaClient, name: str) -> None:
    """Waits until no update is in progress."""
    for _ in range(200):
        shown = client.get_function(FunctionName=name)["Configuration"]
        if shown.get("State") != "Pending" and shown.get("LastUpdateStatus") != "InProgress":
            return
        time.sleep(0.02)
    raise TimeoutError(f"{name} does not settle")


def state_of(client: LambdaClient, name: str) -> State:
    """All that a user owns of a function."""
    settle(client, name)
    shown: Any = client.get_function(FunctionName=name)
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    versions: list[Any] = [item for page in pages for item in page["Versions"]]
    aliases: list[Any] = list(client.list_aliases(FunctionName=name)["Aliases"])
    return {
        "latest": {k: v for k, v in shown["Configuration"].items() if k not in VOLATILE},
        "tags": shown.get("Tags"),
        "concurrency": shown.get("Concurrency"),
        "versions": {v["Version"]: v for v in versions if v["Version"] != "$LATEST"},
        "aliases": {
            alias["Name"]: {k: v for k, v in alias.items() if k != "RevisionId"}
            for alias in aliases
        },
    }


@dataclass
class Rig:
    """One trial: the processes on one function, and what is to be expected of it.

    `kept` are versions that somebody else published meanwhile, by their number with the code that
    they must have. `said` is set where a restore keeps what it is not sure of, and says so.
    """

    world: World
    name: str
    proxy: FaultProxy
    rng: random.Random
    without_journal: bool
    reached: bool = False
    restored_without_journal: bool = False
    said: bool = False
    kept: dict[str, str] = field(default_factory=dict)
    _problems: list[str] = field(default_factory=list)
    _talk: list[str] = field(default_factory=list)
    _children: list[subprocess.Popen[str]] = field(default_factory=list)
    _timers: list[threading.Timer] = field(default_factory=list)
    _deadline: float | None = None

    def __post_init__(self) -> None:
        self.expected = state_of(self.client, self.name)
        self.bystander = state_of(self.client, self.world.bystander)
        self.folder = self.world.folder / self.name
        self.folder.mkdir()
        self.first_call_s = 0.0

    @property
    def client(self) -> LambdaClient:
        """The client of somebody else, past the proxy."""
        return self.world.client

    @property
    def changes(self) -> int:
        """How many state-changing calls there were."""
        return sum(call.changes is not None for call in self.proxy.calls)

    def expect(self, held: bool, otherwise: str) -> None:  # noqa: FBT001 # reads as a sentence
        """Notes what does not hold."""
        if not held:
            self._problems.append(otherwise)

    def run(self, options: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """`tune` on the function, to its end."""
        return self._finished(self._start([self.name, *options, "--yes"], "state"))

    def run_two(self, options: Sequence[str], others: Sequence[str]) -> None:
        """Two runs at the same time, with state folders of their own."""
        first = self._start([self.name, *options, "--yes"], "state")
        second = self._start([self.name, *others, "--yes"], "elsewhere")
        self._finished(second)
        self._finished(first)

    def restore(self, *, elsewhere: bool = False) -> None:
        """`tune restore`, by the journal or without it."""
        if self.without_journal:
            self.restored_without_journal = True
            arguments, state = ["restore", self.name, "--yes"], "none"
        else:
            arguments, state = ["restore", "--yes"], "elsewhere" if elsewhere else "state"
        ended = self._finished(self._start(arguments, state))
        self.said = self.said or "kept, " in ended.stderr
        if ended.returncode > 0:
            self._problems.append(f"restore ends with {ended.returncode}: {ended.stderr[-400:]}")

    def ends_by_itself(self, ended: subprocess.CompletedProcess[str]) -> None:
        """Notes where a run was not up to what it met."""
        self.expect(ended.returncode in (0, 4), f"exit {ended.returncode}: {ended.stderr[-600:]}")

    def kill(self) -> Verdict:
        """Ends all processes of the trial at once, as the kernel does it."""
        for child in self._children:
            if child.poll() is None:
                child.kill()
                child.wait()
        return Drop()

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Does something after a while."""
        timer = threading.Timer(seconds, act)
        self._timers.append(timer)
        timer.start()

    def kill_after(self, seconds: float) -> None:
        """Kills so long after the first call, or after now where there were calls already."""
        if self.proxy.calls:
            self.later(seconds, self.kill)
        else:
            self._deadline = seconds

    def differences(self) -> list[str]:
        """What is not as it was, or as somebody else left it."""
        found = list(self._problems)
        now = state_of(self.client, self.name)
        if state_of(self.client, self.world.bystander) != self.bystander:
            found.append("another function was changed")
        for number, sha256 in self.kept.items():
            version = now["versions"].pop(number, None)
            if version is None or version["CodeSha256"] != sha256:
                found.append(f"version {number} of somebody else is gone")
        found += _compared(self.expected, now, "")
        return [item for item in found if not self._is_doubt(item)] + self._calls()

    def protocol(self) -> str:
        """What was called, for looking at what went wrong."""
        calls = [
            f"{call.operation}({call.qualifier or ''}) {call.status}"
            for call in self.proxy.calls
            if call.changes is not None
        ]
        return "; ".join(calls) + "\n    " + "\n    ".join(self._talk[-12:])

    def end(self) -> None:
        """Leaves nothing running."""
        for timer in self._timers:
            timer.cancel()
        self.kill()
        self.proxy.close()
        self.client.delete_function(FunctionName=self.name)

    def _is_doubt(self, item: str) -> bool:
        """Whether a restore has said of this difference that it does not know whose it is."""
        return self.said and item.startswith("latest.MemorySize")

    def _calls(self) -> list[str]:
        """Calls that no run may make."""
        found: list[str] = []
        own: set[str] = set()
        for call in self.proxy.calls:
            if call.changes is None:
                continue
            if call.function != self.name:
                found.append(f"{call.operation} of {call.function!r}")
            if call.operation == "PublishVersion" and call.status == 201:
                answer = call.answer()
                if str(answer.get("Description", "")).startswith("tune-version"):
                    own.add(str(answer["Version"]))
            if call.operation == "DeleteFunction" and call.qualifier not in own:
                found.append(f"DeleteFunction with qualifier {call.qualifier}")
        return found

    def _start(self, arguments: Sequence[str], state: str) -> subprocess.Popen[str]:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
            "AWS_ENDPOINT_URL": self.proxy.url,
            "AWS_REGION": self.world.access.region,
            "AWS_ACCESS_KEY_ID": self.world.access.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.world.access.secret_access_key,
            "XDG_STATE_HOME": str(self.folder / state),
            "OPENBLAS_NUM_THREADS": "1",
            "COLUMNS": "1000",
        }
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "tuner", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=self.folder,
        )
        self._children.append(child)
        return child

    def _finished(self, child: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
        watched = threading.Thread(target=self._watch, args=(child,), daemon=True)
        watched.start()
        try:
            out, err = child.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        watched.join()
        self.expect("unexpected" not in err, err[-400:])
        self._talk += [f"[{child.returncode}] {line}" for line in err.splitlines()]
        return subprocess.CompletedProcess([], child.returncode, out, err)

    def _watch(self, child: subprocess.Popen[str]) -> None:
        """Kills at the time that `kill_after` gave, which counts from the first call."""
        while not self.proxy.calls and child.poll() is None:
            time.sleep(0.005)
        self.first_call_s = self.first_call_s or time.monotonic()
        if self._deadline is not None:
            seconds, self._deadline = self._deadline, None
            time.sleep(seconds)
            self.kill()


def _compared(before: Any, after: Any, place: str) -> list[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        keys = sorted({*before, *after})
        return [
            text
            for key in keys
            for text in _compared(before.get(key), after.get(key), f"{place}.{key}".lstrip("."))
        ]
    return [] if before == after else [f"{place}: expected {before!r}, found {after!r}"]


Act = Callable[[Rig], None]


def _changed(rig: Rig, **settings: Any) -> None:
    settle(rig.client, rig.name)
    rig.client.update_function_configuration(FunctionName=rig.name, **settings)
    settle(rig.client, rig.name)
    latest = rig.expected["latest"] = copy.deepcopy(rig.expected["latest"])
    latest.update(settings)


def _deploy(rig: Rig, *, publish: bool) -> None:
    settle(rig.client, rig.name)
    code = zipped(f"def handler(event, context): return {rig.rng.random()}")
    answer = rig.client.update_function_code(FunctionName=rig.name, ZipFile=code, Publish=publish)
    settle(rig.client, rig.name)
    latest = rig.expected["latest"] = copy.deepcopy(rig.expected["latest"])
    latest.update(CodeSha256=answer["CodeSha256"], CodeSize=answer["CodeSize"])
    if publish:
        rig.kept[answer["Version"]] = answer["CodeSha256"]


def _publish(rig: Rig, **given: str) -> None:
    settle(rig.client, rig.name)
    answer = rig.client.publish_version(FunctionName=rig.name, **given)
    number = answer["Version"]
    # Where the run has published a moment before, AWS gives the run's version, as its mark says.
    is_the_runs = answer["Description"].startswith("tune-version")
    if number not in rig.expected["versions"] and not is_the_runs:
        rig.kept[number] = answer["CodeSha256"]


def _move_alias(rig: Rig) -> None:
    rig.client.update_alias(FunctionName=rig.name, Name="live", FunctionVersion="1")
    rig.expected["aliases"]["live"]["FunctionVersion"] = "1"


def acts() -> Iterator[tuple[str, Act]]:
    """What somebody else may do to a function in the middle of a run."""
    variables = {"Variables": {"SANDBOX_MODEL": MODEL, "STAGE": "test"}}
    yield "somebody deploys code", lambda rig: _deploy(rig, publish=False)
    yield "somebody deploys code and publishes", lambda rig: _deploy(rig, publish=True)
    yield "somebody changes the configuration", lambda rig: _changed(rig, Timeout=77)
    yield "somebody changes a variable", lambda rig: _changed(rig, Environment=variables)
    yield "somebody publishes", _publish
    yield "somebody publishes with a text", lambda rig: _publish(rig, Description="release 7")
    yield "somebody moves an alias", _move_alias
    yield "IaC sets the memory", lambda rig: _changed(rig, MemorySize=777)
    yield "IaC sets the description", lambda rig: _changed(rig, Description="by terraform")
    yield (
        "IaC sets memory and description",
        lambda rig: _changed(rig, MemorySize=777, Description="by terraform"),
    )
