"""What the sandbox remembers of a function: immutable records, replaced on each change."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sandbox.execution.model import MODEL_VARIABLE
from sandbox.lambda_api.names import LATEST

Architecture = Literal["x86_64", "arm64"]
LogFormat = Literal["Text", "JSON"]


@dataclass(frozen=True, slots=True)
class Code:
    """A deployment package: `sha256` in base64 as AWS gives it, and the size of its zip.

    Of a container image there is only `image_uri`, and a digest of it.
    """

    sha256: str
    size_bytes: int
    image_uri: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration of a function that a caller can set and a version freezes."""

    runtime: str
    handler: str
    role: str
    description: str = ""
    timeout_s: int = 3
    memory_mb: int = 128
    environment: Mapping[str, str] = field(default_factory=dict)
    architecture: Architecture = "x86_64"
    ephemeral_storage_mb: int = 512
    tracing_mode: str = "PassThrough"
    log_format: LogFormat = "Text"
    log_group: str = ""
    application_log_level: str | None = None
    system_log_level: str | None = None
    # Settings without an effect here, given back as they came (VpcConfig, SnapStart, ...).
    inert: Mapping[str, Any] = field(default_factory=dict)

    @property
    def snap_start(self) -> bool:
        """Whether published versions start from snapshots, which modelled functions do here."""
        is_on = self.inert.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions"
        return is_on and self.is_modelled

    @property
    def is_modelled(self) -> bool:
        """Whether a model answers in the place of code."""
        return MODEL_VARIABLE in self.environment


def new_id() -> str:
    """A new revision or configuration id."""
    return str(uuid.uuid4())


def now_text() -> str:
    """The time now in the form of LastModified."""
    now = datetime.now(UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}+0000"


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a function: `$LATEST` or a published version.

    `config_id` names the execution environments made for it; `revision_id` is what callers guard
    their changes with. `published_description` is the description that `$LATEST` had when the
    version was published, which is not the version's own where PublishVersion gave another.
    """

    number: str
    settings: Settings
    code: Code
    revision_id: str
    config_id: str
    last_modified: str
    published_description: str | None = None

    def same_content(self, latest: Version) -> bool:
        """Whether publishing `latest` would only repeat this published version."""
        description = self.published_description or ""
        return self.code.sha256 == latest.code.sha256 and latest.settings == replace(
            self.settings, description=description
        )


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for a version, or for two of them by weight."""

    name: str
    version: str
    description: str
    revision_id: str
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statement:
    """A permission of a resource policy, as AddPermission was given it."""

    id: str
    action: str
    principal: str
    source_arn: str | None = None
    source_account: str | None = None
    function_url_auth_type: str | None = None
    invoked_via_function_url: bool | None = None
    event_source_token: str | None = None
    principal_org_id: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The resource policy of a function, or of a version or alias of it."""

    statements: tuple[Statement, ...]
    revision_id: str


@dataclass(frozen=True, slots=True)
class Provisioned:
    """The provisioned concurrency that a version or alias was given."""

    requested: int
    last_modified: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function with all that belongs to it.

    While an update is in progress, `latest` is what the API shows and `running` is what
    invocations of `$LATEST` still use. `policies` are by qualifier; that of the function itself is
    by "".
    """

    name: str
    latest: Version
    running: Version
    next_version: int = 1
    versions: Mapping[str, Version] = field(default_factory=dict)
    aliases: Mapping[str, Alias] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    reserved_concurrency: int | None = None
    pending: bool = False  # created, not yet Active
    updating: bool = False  # LastUpdateStatus is InProgress
    policies: Mapping[str, Policy] = field(default_factory=dict)
    preparing: tuple[str, ...] = ()  # versions whose snapshot is being made
    provisioned: Mapping[str, Provisioned] = field(default_factory=dict)  # by version or alias

    @property
    def provisioned_concurrency(self) -> int:
        """The concurrency that is provisioned, over all versions and aliases."""
        return sum(config.requested for config in self.provisioned.values())

    @property
    def claimed_concurrency(self) -> int:
        """What no other function can use: the reserve, or without one what is provisioned."""
        reserved = self.reserved_concurrency
        return self.provisioned_concurrency if reserved is None else reserved

    def version(self, number: str) -> Version | None:
        """The version `number`, which may be `$LATEST`."""
        return self.latest if number == LATEST else self.versions.get(number)

    def aliases_of(self, number: str) -> list[str]:
        """The names of the aliases that send invocations to the version `number`."""
        return sorted(
            alias.name
            for alias in self.aliases.values()
            if alias.version == number or number in alias.weights
        )

    def without(self, qualifier: str) -> Function:
        """The function without all that a version or alias had, which is about to go."""
        provisioned = {name: it for name, it in self.provisioned.items() if name != qualifier}
        return replace(self.without_policy(qualifier), provisioned=provisioned)

    def without_policy(self, qualifier: str) -> Function:
        """The function without the policy of a version or alias."""
        kept = {name: policy for name, policy in self.policies.items() if name != qualifier}
        return replace(self, policies=kept)

    def settled(self) -> Function:
        """The function with nothing in progress any more; its revision changes, as on AWS."""
        latest = replace(self.latest, revision_id=new_id())
        return replace(self, latest=latest, running=latest, pending=False, updating=False)
