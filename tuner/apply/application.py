"""The changes of an application, one by one, each in the journal before it is made."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from core.errors import Refused
from tuner.apply.alias import Alias, Route, foreign_route, lead, read_alias
from tuner.apply.changing import foreign_size_change, set_memory
from tuner.apply.checks import Aim
from tuner.apply.destination import Destination
from tuner.apply.mark import applied_description
from tuner.apply.proposal import Proposal
from tuner.apply.record import Plan, Recorder
from tuner.interference import same_settings
from tuner.journal import Beginning
from tuner.new_version import publish, wait_active
from tuner.settle import Pause
from tuner.target import Target, read_target
from tuner.versions import list_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(slots=True)
class Application:
    """A function on its way to another size; `latest` and `alias` are as this process left them."""

    client: LambdaClient
    proposal: Proposal
    latest: Target
    aim: Aim | None
    recorder: Recorder
    pause: Pause
    stopped: Callable[[], bool]
    alias: Alias | None = None

    @property
    def function(self) -> str:
        """The ARN of the function."""
        return self.latest.arn

    @property
    def version(self) -> str | None:
        """The version that was published for the alias, once there is one."""
        return self.recorder.record.version

    def set_latest(self) -> None:
        """Gives `$LATEST` the new size.

        Raises:
            Refused, AwsError: when somebody else changes it, or AWS does not go along.
        """
        if self.latest.memory_mb == self.proposal.to_mb:
            return
        self.recorder.note("set", memory_mb=self.proposal.to_mb)
        self.latest = set_memory(self.client, self.latest, self.proposal.to_mb, self.pause)

    def set_latest_back(self) -> None:
        """Gives `$LATEST` its size of before, where this process changed it."""
        record = self.recorder.record
        if not record.latest_is_set:
            return
        self.latest = set_memory(self.client, self.latest, record.from_mb, self.pause)
        self.recorder.note("put back")

    def publish(self, aim: Aim) -> None:
        """Publishes `$LATEST` and waits until the version can be invoked.

        Raises:
            Refused: when the version is not the one of `aim` with another size.
            AwsError: when AWS does not go along.
        """
        begin = self.recorder.record.beginning
        description = applied_description(
            begin.run_id, self.proposal.from_mb, self.proposal.to_mb, aim.version.description
        )
        self.recorder.note("publish", description=description)
        foreign = foreign_size_change(self.latest)
        version = publish(self.client, self.latest, description, self.pause, foreign)["Version"]
        wait_active(self.client, self.function, version, self.pause, self.stopped)
        shown = read_target(self.client, f"{self.function}:{version}", begin.region)
        wanted = replace(aim.version, memory_mb=self.proposal.to_mb, description=shown.description)
        if not same_settings(shown, wanted):
            raise Refused(
                f"publishing {self.latest.name} gave version {version}, which differs from version "
                f"{aim.alias.route.version} in more than its size"
            )
        self.recorder.note("version", version=version)

    def lead_alias(self, share: float | None = None) -> None:
        """Leads `share` of the alias's calls to the new version, or all of them.

        Raises:
            Refused, AwsError: when somebody else changes it, or AWS does not go along.
        """
        if self.aim is None or self.version is None:
            raise ValueError("no version was published")
        old = self.aim.alias.route.version
        route = Route(self.version, {}) if share is None else Route(old, {self.version: share})
        self.recorder.note("lead", version=route.version, weights=dict(route.weights))
        self.alias = lead(
            self.client, self.function, self.alias or self.aim.alias, route, self.pause
        )

    def check_alias(self) -> None:
        """Makes sure that the alias still leads where this process led it.

        Raises:
            Refused: when somebody else led it elsewhere.
        """
        if self.alias is None:
            return
        now = read_alias(self.client, self.function, self.alias.name)
        if now.route != self.alias.route:
            raise Refused(foreign_route(now, self.function))


def beginning_of(
    client: LambdaClient, latest: Target, aim: Aim | None, endpoint_url: str | None, now: datetime
) -> Beginning:
    """The function as it is now, with an id for the application.

    Raises:
        AwsError: when AWS does not list the versions.
    """
    return Beginning(
        run_id=secrets.token_hex(6),
        function_arn=latest.arn,
        region=latest.arn.split(":")[3],
        endpoint_url=endpoint_url,
        memory_mb=latest.memory_mb,
        description=latest.description,
        code_sha256=latest.code_sha256,
        existing_versions=tuple(list_versions(client, latest.arn)) if aim is not None else (),
        pid=os.getpid(),
        # Microseconds: several applications of one run are taken back in their order.
        started_utc=now.isoformat(timespec="microseconds"),
    )


def plan_of(proposal: Proposal, aim: Aim | None, destination: Destination) -> Plan:
    """What is to be changed."""
    return Plan(
        tune_run=proposal.tune_run,
        destination=str(destination),
        to_mb=proposal.to_mb,
        alias=None if aim is None else aim.alias.name,
        alias_version=None if aim is None else aim.alias.route.version,
    )
