"""What has to hold before a size is applied: the function is what was measured, and nobody's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.aws.session import aws_call
from core.errors import AwsError, Refused
from reports.document import FunctionFacts
from reports.figures import megabytes
from tuner.apply.alias import Alias, read_alias
from tuner.apply.destination import Destination
from tuner.apply.proposal import Proposal
from tuner.fingerprint import settings_fingerprint
from tuner.interference import check_free
from tuner.target import Target, read_target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_LATEST = "$LATEST"
_NONE_PROVISIONED = "ProvisionedConcurrencyConfigNotFoundException"


@dataclass(frozen=True, slots=True)
class Aim:
    """An alias and the version that it leads to, as they were before."""

    alias: Alias
    version: Target


def read_aim(
    client: LambdaClient, latest: Target, destination: Destination, region: str
) -> Aim | None:
    """The alias to move, when it can be moved to a version of `latest`; None for `$LATEST`.

    Raises:
        InputError: when the function has no such alias.
        Refused: when moving it would release something else, or break something.
    """
    if destination.alias is None:
        return None
    alias = read_alias(client, latest.arn, destination.alias)
    name = f"alias {alias.name} of {latest.name}"
    if alias.route.version == _LATEST:
        raise Refused(
            f"{name} leads to $LATEST, which has no version to move to",
            hint="--to latest changes what it leads to",
        )
    if alias.route.weights:
        raise Refused(
            f"{name} leads to {alias.route}: somebody is shifting it",
            hint="start again when that has ended",
        )
    version = read_target(client, f"{latest.arn}:{alias.route.version}", region)
    differences = _differences(latest, version)
    if differences:
        raise Refused(
            f"{name} leads to version {alias.route.version}, and $LATEST has {differences}: "
            "publishing would release that",
            hint="release it first",
        )
    _check_not_provisioned(client, latest, alias)
    return Aim(alias, version)


def check_as_measured(latest: Target, aim: Aim | None, proposal: Proposal) -> None:
    """Makes sure that the function is what the run measured, but for a size applied already.

    Raises:
        Refused: with what changed, or when a run holds the function.
    """
    check_free(latest)
    measured = proposal.function
    sizes_mb = (proposal.from_mb, proposal.to_mb)
    # An alias gets the size by way of $LATEST, whatever that has.
    any_size = proposal.of_version and aim is not None
    _check("$LATEST", latest, measured, (*sizes_mb, *[latest.memory_mb] * any_size))
    if aim is not None:
        _check(f"version {aim.alias.route.version}", aim.version, measured, sizes_mb)


def _check(what: str, target: Target, measured: FunctionFacts, sizes_mb: tuple[int, ...]) -> None:
    facts: list[tuple[str, object, object]] = [
        ("code", measured.code_sha256, target.code_sha256),
        ("timeout in s", measured.timeout_s, target.timeout_s),
        ("runtime", measured.runtime, target.runtime),
        ("architecture", measured.arch, target.arch),
        ("ephemeral storage in MB", measured.ephemeral_storage_mb, target.storage_mb),
    ]
    changes = [f"{name} from {was!r} to {now!r}" for name, was, now in facts if was != now]
    if target.memory_mb not in sizes_mb:
        changes.append(f"memory from {megabytes(sizes_mb[0])} to {megabytes(target.memory_mb)}")
    # Documents of before have no such fingerprint.
    known = measured.settings_fingerprint
    if not changes and known is not None and known != _fingerprint(target):
        changes = ["another setting, such as an environment variable or a layer"]
    if changes:
        raise Refused(
            f"{what} of {target.name} is not what the run measured any more: {', '.join(changes)}; "
            "nothing was changed",
            hint="tune it again",
        )


def _fingerprint(target: Target) -> str:
    return settings_fingerprint(target.settings_sha256, target.arn)


def _differences(latest: Target, version: Target) -> str | None:
    """What `$LATEST` has besides memory and Description that a version has not."""
    if latest.code_sha256 != version.code_sha256:
        return "other code"
    if latest.timeout_s != version.timeout_s:
        return f"a timeout of {latest.timeout_s} s in place of {version.timeout_s} s"
    return "other settings" if latest.settings_sha256 != version.settings_sha256 else None


def _check_not_provisioned(client: LambdaClient, latest: Target, alias: Alias) -> None:
    """Provisioned environments belong to a version: a new one begins without, and cold.

    Raises:
        Refused: when the alias or its version has some. AWS allows no weights there anyway, and
            the bill of environments that wait grows with their memory, which no run has measured.
    """
    for qualifier, what in (
        (alias.name, f"alias {alias.name}"),
        (alias.route.version, f"version {alias.route.version}"),
    ):
        if _is_provisioned(client, latest.arn, qualifier):
            raise Refused(
                f"{what} of {latest.name} has provisioned concurrency: calls of a new version "
                "would start cold until it is provisioned as well, and at another price",
                hint="publish, provision and move it by hand, or in its template",
            )


def _is_provisioned(client: LambdaClient, function: str, qualifier: str) -> bool:
    try:
        with aws_call(f"read the provisioned concurrency of {function}:{qualifier}"):
            client.get_provisioned_concurrency_config(FunctionName=function, Qualifier=qualifier)
    except AwsError as error:
        if error.code != _NONE_PROVISIONED:
            raise
        return False
    return True
