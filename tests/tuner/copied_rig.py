"""A function whose version 1 has other settings than `$LATEST`, and runs that measure version 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tests.tuner.lambda_fake import ARN, NAME, LambdaFake
from tests.tuner.lease_rig import let_go_at_the_end
from tuner.journal import Beginning, Journal
from tuner.lease import Lease
from tuner.qualified import version_of
from tuner.target import Target, read_target
from tuner.versions import list_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

REGION = "us-east-1"
SECRET = "hunter2-of-latest"
OWN = {"MODE": "new", "TOKEN": SECRET}
OF_VERSION = {"MODE": "old", "LEVEL": "3"}


@dataclass
class Owned:
    """What belongs to others: settings of `$LATEST`, and versions by number with their code."""

    memory_mb: int = 256
    description: str = "takes orders"
    timeout_s: int = 60
    tracing: str = "Active"
    variables: dict[str, str] = field(default_factory=lambda: dict(OWN))
    code: str = "b3JkZXJz"
    versions: dict[str, str] = field(default_factory=dict)
    # Whether somebody has taken the run's mark away.
    mark_replaced: bool = field(default=False, compare=False)


Act = Callable[[LambdaFake, Owned], None]


def function_with_a_version(reads_until_settled: int = 1) -> tuple[LambdaFake, Owned]:
    """Version 1 has 30 s, variables of its own and no tracing."""
    fake, owned = LambdaFake(reads_until_settled=reads_until_settled), Owned()
    fake.configure(Environment={"Variables": OF_VERSION})
    publish(fake, owned)
    fake.configure(
        Timeout=owned.timeout_s,
        TracingConfig={"Mode": owned.tracing},
        Environment={"Variables": owned.variables},
    )
    return fake, owned


def client_of(fake: LambdaFake) -> LambdaClient:
    return cast("LambdaClient", fake)


def version_1(fake: LambdaFake) -> Target:
    client = client_of(fake)
    return version_of(client, read_target(client, NAME, REGION), "1", REGION)


def begun(fake: LambdaFake, folder: Path) -> Lease:
    client, target = client_of(fake), version_1(fake)
    latest = target.borrowed
    beginning = Beginning(
        run_id="0123456789ab",
        function_arn=ARN,
        region=REGION,
        endpoint_url=None,
        memory_mb=latest.memory_mb,
        description=latest.description,
        code_sha256=latest.code_sha256,
        existing_versions=tuple(list_versions(client, ARN)),
        pid=1,
        started_utc="2026-01-01T00:00:00+00:00",
    )
    return Lease(
        client,
        latest,
        beginning,
        let_go_at_the_end(Journal(folder, beginning)),
        lambda seconds: None,
        lambda: False,
        copy=target.copy,
    )


def state_of(fake: LambdaFake) -> Owned:
    """What `$LATEST` and the versions are, as `Owned` has it."""
    latest = fake.function.latest
    settings = latest.settings
    return Owned(
        settings.memory_mb,
        settings.description,
        settings.timeout_s,
        settings.tracing_mode,
        dict(settings.environment),
        latest.code.sha256,
        {number: version.code.sha256 for number, version in fake.function.versions.items()},
    )


# What others do.


def set_memory(fake: LambdaFake, owned: Owned) -> None:
    fake.configure(MemorySize=777)
    owned.memory_mb = 777


def set_description(fake: LambdaFake, owned: Owned) -> None:
    fake.configure(Description="by terraform")
    owned.description, owned.mark_replaced = "by terraform", True


def set_timeout(fake: LambdaFake, owned: Owned) -> None:
    fake.configure(Timeout=31)
    owned.timeout_s = 31


def add_variable(fake: LambdaFake, owned: Owned) -> None:
    """A script that reads the variables, whosever they are, and sets them with one more."""
    now = dict(fake.function.latest.settings.environment)
    fake.configure(Environment={"Variables": {**now, "EXTRA": "1"}})
    owned.variables = {**owned.variables, "EXTRA": "1"}


def deploy_settings(fake: LambdaFake, owned: Owned) -> None:
    """A template that has all settings but the Description."""
    fake.configure(
        Timeout=45,
        Environment={"Variables": {"MODE": "newest"}},
        TracingConfig={"Mode": "Active"},
        MemorySize=888,
    )
    owned.timeout_s, owned.variables, owned.tracing = 45, {"MODE": "newest"}, "Active"
    owned.memory_mb = 888


def touch(fake: LambdaFake, owned: Owned) -> None:
    fake.configure()


def deploy(fake: LambdaFake, owned: Owned) -> None:
    fake.deploy("bmV3IGNvZGU=")
    owned.code = "bmV3IGNvZGU="


def publish(fake: LambdaFake, owned: Owned, **given: Any) -> None:
    answer = fake.publish(**given)
    # Where nothing was changed since a version of the run, AWS gives that one.
    if not answer["Description"].startswith("tune-version"):
        owned.versions[answer["Version"]] = answer["CodeSha256"]


ACTS: tuple[Act, ...] = (
    set_memory,
    set_description,
    set_timeout,
    add_variable,
    deploy_settings,
    touch,
    deploy,
    publish,
)
