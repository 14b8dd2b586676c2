"""The settings of a function: one form for all that AWS shows, what a version differs in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from core.aws.session import AwsSession
from core.errors import Refused
from tests.core.aws_server import answer as answered
from tests.core.aws_server import aws_server
from tests.tuner.test_target_kinds import ARN, PLAIN
from tuner.qualified import version_of
from tuner.settings import (
    SettingsCopy,
    by_variable,
    differing,
    settings_of,
    with_changes,
    words,
)
from tuner.target import read_target


def shown(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**PLAIN, **changes}.items() if value is not None}


VPC = {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
LAYER = "arn:aws:lambda:us-east-1:123456789012:layer:one:1"
FILES = {"Arn": "arn:aws:elasticfilesystem:us-east-1:1:access-point/a", "LocalMountPath": "/mnt/a"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({}, {"VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []}}, id="no VPC"),
        pytest.param(
            {"VpcConfig": {**VPC, "VpcId": "vpc-1"}},
            {"VpcConfig": {**VPC, "SubnetIds": ["subnet-2", "subnet-1"], "VpcId": "vpc-1"}},
            id="order of subnets",
        ),
        pytest.param({}, {"Environment": {"Variables": {}}}, id="no variables"),
        pytest.param({}, {"Layers": []}, id="no layers"),
        pytest.param({}, {"FileSystemConfigs": []}, id="no file systems"),
        pytest.param({}, {"DeadLetterConfig": {"TargetArn": ""}}, id="no dead letters"),
        pytest.param({}, {"KMSKeyArn": ""}, id="no key"),
        pytest.param({}, {"TracingConfig": None}, id="usual tracing"),
        pytest.param({}, {"EphemeralStorage": None}, id="usual storage"),
        pytest.param({}, {"LoggingConfig": None}, id="usual logs"),
        pytest.param({}, {"SnapStart": None}, id="no SnapStart"),
        pytest.param({}, {"ImageConfigResponse": {"ImageConfig": {}}}, id="no image settings"),
        pytest.param({}, {"MemorySize": 128, "Description": "x"}, id="memory and description"),
        pytest.param({}, {"State": "Inactive", "ConfigSha256": "x"}, id="what changes by itself"),
    ],
)
def test_one_thing_that_is_shown_in_two_ways_is_one_setting(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert settings_of(shown(one)) == settings_of(shown(other))
    assert settings_of(shown(one)).sha256 == settings_of(shown(other)).sha256


def test_variables_are_changed_one_by_one() -> None:
    values = settings_of(shown({"Environment": {"Variables": {"A": "1", "B": "2"}}})).values

    changes = {"Environment.A": None, "Environment.C": "3", "Timeout": 9}

    assert with_changes(values, changes) == {
        "Timeout": 9,
        "Environment": {"Variables": {"B": "2", "C": "3"}},
    }
    assert with_changes(values, {"Timeout": 9}) == {"Timeout": 9}
    assert differing(by_variable(values), {**by_variable(values), "Environment.B": "x"}) == (
        "Environment.B",
    )
    assert words(["Environment.B", "VpcConfig"]) == ("environment variable B", "VPC")


def copied(
    version: Mapping[str, Any], latest: Mapping[str, Any] | None = None
) -> SettingsCopy | None:
    """What `$LATEST` needs of version 7, where AWS shows the two like this."""
    of_version = shown({"FunctionArn": f"{ARN}:7", "Version": "7", **version})

    def reply(request: Any) -> Any:
        configuration = of_version if request.path.endswith("7") else shown(latest or {})
        return answered(json.dumps({"Configuration": configuration}).encode())

    with aws_server(reply) as server:
        client = AwsSession(local=server.access).control_lambda()
        try:
            function = read_target(client, "orders", "us-east-1")
            return version_of(client, function, "7", "us-east-1").copy
        finally:
            client.close()


# A setting of version 7, and the parameters that give it to `$LATEST` and take it away again.
COPIES = [
    pytest.param({"Timeout": 60}, {"Timeout": 60}, {"Timeout": 15}, "timeout", id="timeout"),
    pytest.param(
        {"Environment": {"Variables": {"A": "1"}}},
        {"Environment": {"Variables": {"A": "1"}}},
        {"Environment": {"Variables": {}}},
        "environment variables",
        id="variables",
    ),
    pytest.param(
        {"KMSKeyArn": "arn:aws:kms:us-east-1:1:key/k"},
        {"KMSKeyArn": "arn:aws:kms:us-east-1:1:key/k"},
        {"KMSKeyArn": ""},
        "KMS key",
        id="key",
    ),
    pytest.param(
        {"Handler": "old.handler"},
        {"Handler": "old.handler"},
        {"Handler": "app.handler"},
        "handler",
        id="handler",
    ),
    pytest.param(
        {"Runtime": "python3.12"},
        {"Runtime": "python3.12"},
        {"Runtime": "python3.13"},
        "runtime",
        id="runtime",
    ),
    pytest.param(
        {"Layers": [{"Arn": LAYER, "CodeSize": 9, "SigningJobArn": "arn:job"}]},
        {"Layers": [LAYER]},
        {"Layers": []},
        "layers",
        id="layers",
    ),
    pytest.param(
        {"VpcConfig": {**VPC, "VpcId": "vpc-1", "Ipv6AllowedForDualStack": True}},
        {"VpcConfig": {**VPC, "Ipv6AllowedForDualStack": True}},
        {
            "VpcConfig": {
                "SubnetIds": [],
                "SecurityGroupIds": [],
                "Ipv6AllowedForDualStack": False,
            }
        },
        "VPC",
        id="VPC",
    ),
    pytest.param(
        {"FileSystemConfigs": [FILES]},
        {"FileSystemConfigs": [FILES]},
        {"FileSystemConfigs": []},
        "file systems",
        id="file systems",
    ),
    pytest.param(
        {"EphemeralStorage": {"Size": 1024}},
        {"EphemeralStorage": {"Size": 1024}},
        {"EphemeralStorage": {"Size": 512}},
        "ephemeral storage",
        id="storage",
    ),
    pytest.param(
        {"TracingConfig": {"Mode": "Active"}},
        {"TracingConfig": {"Mode": "Active"}},
        {"TracingConfig": {"Mode": "PassThrough"}},
        "tracing",
        id="tracing",
    ),
    pytest.param(
        {
            "LoggingConfig": {
                "LogFormat": "JSON",
                "ApplicationLogLevel": "INFO",
                "SystemLogLevel": "DEBUG",
                "LogGroup": "/shop/all",
            }
        },
        {
            "LoggingConfig": {
                "LogFormat": "JSON",
                "LogGroup": "/shop/all",
                "ApplicationLogLevel": "INFO",
                "SystemLogLevel": "DEBUG",
            }
        },
        {"LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/orders"}},
        "log settings",
        id="logs",
    ),
    pytest.param(
        {"SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}},
        {"SnapStart": {"ApplyOn": "PublishedVersions"}},
        {"SnapStart": {"ApplyOn": "None"}},
        "SnapStart",
        id="SnapStart",
    ),
    pytest.param(
        {"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:1:dead"}},
        {"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:1:dead"}},
        {"DeadLetterConfig": {"TargetArn": ""}},
        "dead letters",
        id="dead letters",
    ),
    pytest.param(
        {"ImageConfigResponse": {"ImageConfig": {"Command": ["old"], "EntryPoint": []}}},
        {"ImageConfig": {"Command": ["old"]}},
        {"ImageConfig": {}},
        "image settings",
        id="image",
    ),
]


@pytest.mark.parametrize(("version", "wanted", "own", "name"), COPIES)
def test_a_setting_that_differs_is_copied_and_can_be_put_back(
    version: dict[str, Any], wanted: dict[str, Any], own: dict[str, Any], name: str
) -> None:
    copy = copied(version)

    assert copy is not None
    assert (copy.version, copy.names) == ("7", (name,))
    assert (copy.wanted, copy.own) == (wanted, own)
    assert copy.settings_sha256 == settings_of(shown(version)).sha256
    assert copy.timeout_s == version.get("Timeout", 15)


def test_memory_and_description_alone_need_no_copy() -> None:
    assert copied({"MemorySize": 1024, "Description": "the live one"}) is None


ERROR = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "no kms:Decrypt"}}


@pytest.mark.parametrize(
    ("version", "latest", "message"),
    [
        pytest.param(
            {"CodeSha256": "b3RoZXI="},
            {},
            r"version 7 has other code than \$LATEST, .* a function of its own .* nothing was",
            id="code",
        ),
        pytest.param(
            {"Role": "arn:aws:iam::123456789012:role/old"},
            {},
            r"differs from \$LATEST in Role, .* \(to set a role takes iam:PassRole\)",
            id="role",
        ),
        pytest.param({"Architectures": ["arm64"]}, {}, "in Architectures, which", id="arch"),
        pytest.param(
            {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}},
            {},
            "in TenancyConfig, which cannot be copied",
            id="tenants",
        ),
        pytest.param(
            {"Environment": ERROR},
            {},
            "version 7 has settings that cannot be read: Environment: no kms:Decrypt",
            id="variables of the version cannot be read",
        ),
        pytest.param(
            {},
            {"Environment": ERROR},
            r"\$LATEST has settings that cannot be read",
            id="variables of $LATEST cannot be read",
        ),
        pytest.param(
            {"RuntimeConfig": {"RuntimeAlias": "old"}},
            {},
            "in RuntimeConfig, which cannot be copied",
            id="a setting that is not known",
        ),
        pytest.param(
            {"Handler": None}, {}, "in handler, which cannot be copied", id="cannot be cleared"
        ),
        pytest.param(
            {"Description": "tune-version of run 0123456789ab size=128 was=512"},
            {},
            "version 7 is one of tune run 0123456789ab",
            id="of a run",
        ),
    ],
)
def test_a_version_that_latest_cannot_stand_for_is_refused_with_the_reason(
    version: dict[str, Any], latest: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        copied(version, latest)


def test_a_part_of_a_setting_that_is_not_known_is_never_dropped() -> None:
    """As a later botocore may show it; what it does not know it does not show at all."""
    one = settings_of(shown({"VpcConfig": VPC}))
    other = settings_of(shown({"VpcConfig": {**VPC, "Nat": "off"}}))

    assert one.values == other.values
    assert differing(one.fixed, other.fixed) == ("VpcConfig",)
