"""Runs that borrow a function of the sandbox, and ways to kill them or to come between.

A kill is an exception out of botocore at one of the calls, after which nothing of the run is
executed any more, and the end of its locks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.session import LocalAccess
from core.console import Console
from core.errors import ExitCode
from tuner.journal import Beginning, Journal, state_folder
from tuner.lease import Lease
from tuner.open_journals import OpenJournal, read_journals
from tuner.restore import RestoreOptions, restore
from tuner.target import Target, read_target
from tuner.versions import list_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

SIZES = (128, 512, 1024)
REGION = "us-east-1"
CHANGING = ("UpdateFunctionConfiguration", "PublishVersion", "DeleteFunction")


_JOURNALS: list[Journal] = []


class Killed(BaseException):
    """The process is gone: no handler may catch this."""


def begin(
    client: LambdaClient, name: str, access: LocalAccess, chosen: Target | None = None
) -> Lease:
    """A lease on a function, or on the one whose version is `chosen`."""
    chosen = chosen or read_target(client, name, REGION)
    target = chosen.borrowed
    beginning = Beginning(
        run_id=os.urandom(6).hex(),
        function_arn=target.arn,
        region=REGION,
        endpoint_url=access.endpoint_url,
        memory_mb=target.memory_mb,
        description=target.description,
        code_sha256=target.code_sha256,
        existing_versions=tuple(list_versions(client, target.arn)),
        pid=os.getpid(),
        started_utc="2026-01-01T00:00:00+00:00",
    )
    journal = let_go_at_the_end(Journal(state_folder(), beginning))
    return Lease(
        client,
        target,
        beginning,
        journal,
        lambda seconds: None,
        lambda: False,
        copy=chosen.copy,
    )


def let_go_at_the_end(journal: Journal) -> Journal:
    """`journal`, whose lock is given back when the test ends at the latest."""
    _JOURNALS.append(journal)
    return journal


def end_of_processes() -> None:
    """What the kernel does when a process ends: it gives back the locks."""
    while _JOURNALS:
        _JOURNALS.pop().leave()


def open_journals() -> tuple[OpenJournal, ...]:
    return read_journals(state_folder()).open


def state_of(client: LambdaClient, name: str) -> dict[str, Any]:
    """Everything about a function that a user would miss."""
    latest = client.get_function_configuration(FunctionName=name)
    kept = ("MemorySize", "Description", "Timeout", "CodeSha256", "Handler", "Environment")
    aliases = client.list_aliases(FunctionName=name)["Aliases"]
    return {
        "latest": {key: latest.get(key) for key in kept},
        "versions": list_versions(client, name),
        "aliases": {a["Name"]: (a["FunctionVersion"], a.get("RoutingConfig")) for a in aliases},
    }


def restored(access: LocalAccess, monkeypatch: pytest.MonkeyPatch) -> ExitCode:
    """Runs `tune restore --yes` with the credentials of the sandbox, after all runs were killed."""
    end_of_processes()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", access.secret_access_key)
    options = RestoreOptions(profile=None, list_only=False, forget=None, yes=True)
    return restore(options, Console(verbosity=-1))


def whole_run(lease: Lease) -> None:
    """All sizes in one go, as a fixed plan has them."""
    lease.publish(SIZES)
    lease.release()


def run_on_demand(lease: Lease) -> None:
    """One size after the other, and one a second time, as an adaptive plan has them."""
    for size in SIZES[:2]:
        lease.publish([size])
    lease.publish_again(SIZES[0])
    lease.release()


@contextmanager
def killing(client: LambdaClient, at: int, *, moment: str) -> Iterator[list[str]]:
    """Raises `Killed` before or after the state-changing call with number `at`; lists the calls."""
    calls: list[str] = []

    def count(model: Any, **_: Any) -> None:
        if model.name in CHANGING:
            calls.append(model.name)
            if len(calls) == at + 1:
                raise Killed

    event = f"{moment}.lambda"
    client.meta.events.register(event, count, unique_id="killing")
    try:
        yield calls
    finally:
        client.meta.events.unregister(event, unique_id="killing")
