"""What all tests share: one local AWS for a whole test process, and functions with known truth."""

from __future__ import annotations

import gc
import io
import itertools
import json
import os
import signal
import uuid
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import httpx
import pytest
from botocore import useragent
from botocore.hooks import EventAliaser
from botocore.loaders import Loader, create_loader
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from core.aws.session import LocalAccess

ROLE = "arn:aws:iam::000000000000:role/test"

MakeFunction = Callable[..., str]

# Tests use all processors already. Threads for matrices of thirty rows only wait for each other,
# which takes four times the CPU time. Workers and commands that tests start know it; in this
# process a plugin has imported numpy by now, which is when it is read.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Images for continuous integration often set it. Each of the hundreds of processes that tests
# start would then compile the toolkit for itself, which takes longer than most of them run.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The machine may be busy: how long an example takes says nothing about what it shows.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


# A hundred thousand objects of tests stay until the end: the collector need not look at them, nor
# at the young ones as often as in a small program. That is a tenth of the time of all tests.
gc.set_threshold(20_000, 20, 20)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def _states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where each test may keep a state of its own; most keep none and need no folder for it."""
    folder = tmp_path_factory.mktemp("states")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch, _states: Iterator[Path]) -> None:
    """Keeps the developer's own AWS settings and state out of every test."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    state = next(_states)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(state / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(state / "no-credentials"))
    monkeypatch.setenv("XDG_STATE_HOME", str(state))


@pytest.fixture(scope="session", autouse=True)
def _clients_are_cheap() -> Iterator[None]:
    """Thousands of clients share what each would read or work out for itself.

    AWS's models take a tenth of a second, the certificates of httpx 20 ms; botocore translates the
    names of its events anew for each client, and looks at its user agent's letters for each call.
    """
    loader_of_all, names_of_events = create_loader(), dict[str, str]()
    set_up = EventAliaser.__init__

    def loader(data_path: str | None = None) -> Loader:
        return create_loader(data_path) if data_path else loader_of_all

    def aliaser(self: Any, *arguments: Any) -> None:
        set_up(self, *arguments)
        self._alias_name_cache = names_of_events

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", loader)
        patch.setattr(EventAliaser, "__init__", aliaser)
        sanitize = cache(useragent.sanitize_user_agent_string_component)
        patch.setattr(useragent, "sanitize_user_agent_string_component", sanitize)
        context = cache(httpx.create_ssl_context)
        patch.setattr(httpx._transports.default, "create_ssl_context", context)
        yield


@pytest.fixture(scope="session")
def local_access() -> Iterator[LocalAccess]:
    """A running sandbox, as `--sandbox` starts it, but that changes of functions take less long."""
    from core.local_aws import local_aws

    with local_aws(["--update-ms", "4"]) as access:
        yield access


@pytest.fixture(scope="session")
def lambda_client(local_access: LocalAccess) -> Iterator[LambdaClient]:
    """A control client for the sandbox."""
    from core.aws.session import AwsSession

    client = AwsSession(local=local_access).control_lambda()
    yield client
    client.close()


@pytest.fixture
def hangups() -> Iterator[None]:
    """SIGHUP has its effect, here and in the children of the test, also where nohup runs tests."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def make_function(lambda_client: LambdaClient) -> Iterator[MakeFunction]:
    """Creates curve-backed functions with names of their own, and deletes them afterwards."""
    made: list[str] = []

    def make(
        model: dict[str, Any] | None = None,
        *,
        memory_mb: int = 512,
        description: str = "",
        timeout_s: int = 30,
        name: str | None = None,
        **more: Any,
    ) -> str:
        name = name or f"f-{uuid.uuid4().hex[:12]}"
        curve = model or {"duration_ms": {"128": 400, "1024": 50, "3008": 50}}
        lambda_client.create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role=ROLE,
            Handler="handler.handler",
            Code={"ZipFile": zipped("def handler(event, context): return event")},
            MemorySize=memory_mb,
            Timeout=timeout_s,
            Description=description,
            Environment={"Variables": {"SANDBOX_MODEL": json.dumps(curve)}},
            **more,
        )
        lambda_client.get_waiter("function_active_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 0}
        )
        made.append(name)
        return name

    yield make
    for name in made:
        lambda_client.delete_function(FunctionName=name)


def zipped(source: str) -> bytes:
    """A deployment package with one handler module."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", source)
    return buffer.getvalue()


def child_environment(access: LocalAccess, **more: str) -> dict[str, str]:
    """The environment that sends a child process to the sandbox, as `sandbox up` prints it."""
    return {
        **os.environ,
        "AWS_ENDPOINT_URL": access.endpoint_url,
        "AWS_REGION": access.region,
        "AWS_ACCESS_KEY_ID": access.access_key_id,
        "AWS_SECRET_ACCESS_KEY": access.secret_access_key,
        **more,
    }
