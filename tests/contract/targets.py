"""Starts the local AWSs that the contract is run against, each on a free port of 127.0.0.1.

moto and MiniStack come from virtual environments of their own, because they pin versions of
libraries that the toolkit uses in others: `make contract` makes them.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import httpx

from tests.contract.account import Account
from tests.contract.step import MINISTACK, MOTO, SANDBOX

_START_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 15
_ROOT = Path(__file__).parents[2]


class Absent(Exception):
    """The environment of a target is not there; the text says how to make it."""


@contextmanager
def sandbox() -> Iterator[Account]:
    """The toolkit's own, as `sandbox up` starts it."""
    command = [sys.executable, "-m", "sandbox", "up", "--no-functions", "--port", "0", "--json"]
    with _running([*command, "-q", "--stop-with-stdin"], {}) as child:
        line = child.stdout.readline() if child.stdout else b""
        if not line:
            raise AssertionError(f"the sandbox ended with {child.wait(_STOP_TIMEOUT_S)}")
        variables = json.loads(line)["environment"]
        keys = (variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
        with closing(Account(variables["AWS_ENDPOINT_URL"], keys)) as account:
            yield account


@contextmanager
def moto() -> Iterator[Account]:
    """moto's server, which is told that there is no Docker and that functions' role exists.

    Raises:
        Absent: it is not installed.
    """
    program = _program(MOTO, "moto_server")
    port = _free_port()
    with _running([str(program), "-H", "127.0.0.1", "-p", str(port)], {}) as child:
        endpoint_url = f"http://127.0.0.1:{port}"
        _await_answers(endpoint_url, child)
        httpx.post(
            f"{endpoint_url}/moto-api/config",
            json={"lambda": {"use_docker": False}},
            trust_env=False,
        ).raise_for_status()
        with closing(Account(endpoint_url)) as account:
            account.client("iam").create_role(
                RoleName="contract", AssumeRolePolicyDocument=json.dumps(_ASSUMED_BY_LAMBDA)
            )
            yield account


@contextmanager
def ministack() -> Iterator[Account]:
    """MiniStack.

    Raises:
        Absent: it is not installed.
    """
    program = _program(MINISTACK, "ministack")
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="contract-") as folder:
        settings = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "TMPDIR": folder,
            "STATE_DIR": folder,
            "LAMBDA_EXECUTOR": "local",
        }
        with _running([str(program)], settings) as child:
            endpoint_url = f"http://127.0.0.1:{port}"
            _await_answers(endpoint_url, child)
            with closing(Account(endpoint_url)) as account:
                yield account


START: Mapping[str, Callable[[], AbstractContextManager[Account]]] = {
    SANDBOX: sandbox,
    MOTO: moto,
    MINISTACK: ministack,
}

_ASSUMED_BY_LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def environment_of(target: str) -> Path:
    """The virtual environment of moto or MiniStack: CONTRACT_MOTO, CONTRACT_MINISTACK or ours."""
    given = os.environ.get(f"CONTRACT_{target.upper()}")
    return Path(given) if given else _ROOT / ".contract" / target


def _program(target: str, name: str) -> Path:
    program = environment_of(target) / "bin" / name
    if not program.exists():
        raise Absent(
            f"{target} is not installed (no {name} in {environment_of(target)}/bin): make contract"
        )
    return program


@contextmanager
def _running(
    command: Sequence[str], settings: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A child process that ends with the block, without any AWS settings of the user's."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            command,
            cwd=_ROOT,
            env={**inherited, "AWS_EC2_METADATA_DISABLED": "true", **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if command[0] == sys.executable else log,
            stderr=log,
        )
        try:
            yield child
        finally:
            _stop(child)


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            stream.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_answers(endpoint_url: str, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise AssertionError(f"{child.args!r} ended with {child.returncode}")
        try:
            httpx.get(endpoint_url, trust_env=False, timeout=1)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"{child.args!r} did not answer within {_START_TIMEOUT_S} s")
