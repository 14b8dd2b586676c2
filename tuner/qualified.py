"""A version or an alias as the thing to tune: which version that is, and how it can be measured.

Versions are frozen, and new ones are published from `$LATEST` only. So one is measured by versions
of `$LATEST` where that has the same code; what else differs is copied to it for the publishing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import FunctionNotFound, Refused
from reports.figures import megabytes
from tuner.apply.alias import read_alias
from tuner.marker import parse_version_marker
from tuner.settings import SettingsCopy, differing, words
from tuner.target import LATEST, Target, read_target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def version_of(client: LambdaClient, latest: Target, qualifier: str, region: str) -> Target:
    """The version that `qualifier`, a number or the name of an alias, means.

    Raises:
        InputError: when there is no such version or alias.
        Refused: when `$LATEST` cannot stand for it.
        AwsError: when AWS does not say.
    """
    number: str = qualifier
    shares: tuple[tuple[str, float], ...] = ()
    if not qualifier.isdecimal():
        route = read_alias(client, latest.arn, qualifier).route
        number, shares = route.version, tuple(route.weights.items())
    if number == LATEST:
        return replace(latest, qualifier=qualifier)
    try:
        version = read_target(client, f"{latest.arn}:{number}", region)
    except FunctionNotFound as error:
        raise FunctionNotFound(
            f"function {latest.name!r}: version {number} not found in {region}",
            hint=f"`aws lambda list-versions-by-function --function-name {latest.name}` lists them",
        ) from error
    marker = parse_version_marker(version.description)
    if marker is not None:
        raise Refused(
            f"function {latest.name!r}: version {number} is one of tune run {marker.run_id}, which "
            "still works or was killed",
            hint=f"`tune restore {latest.name}` deletes what a killed run left",
        )
    return replace(
        version,
        qualifier=qualifier,
        latest=latest,
        copy=_copy(latest, version),
        shares=shares,
        reserved_concurrency=latest.reserved_concurrency,
    )


def _copy(latest: Target, version: Target) -> SettingsCopy | None:
    """What `$LATEST` needs to be published as the version is; None where that is nothing.

    Raises:
        Refused: when it cannot be given that, or could not be put back.
    """
    what = f"function {latest.name!r}: version {version.version}"
    if version.code_sha256 != latest.code_sha256:
        raise Refused(
            f"{what} has other code than $LATEST, and versions are published from $LATEST only",
            hint="deploy the version's code to a function of its own and tune that; nothing was "
            "changed",
        )
    for target, name in ((version, what), (latest, f"function {latest.name!r}: $LATEST")):
        if target.settings.unreadable is not None:
            raise Refused(
                f"{name} has settings that cannot be read: {target.settings.unreadable}",
                hint="allow kms:Decrypt on the key; nothing was changed",
            )
    own, wanted = latest.settings.values, version.settings.values
    names = differing(own, wanted)
    fixed = (
        *differing(latest.settings.fixed, version.settings.fixed),
        *words([name for name in names if own[name] is None or wanted[name] is None]),
    )
    if fixed:
        raise Refused(
            f"{what} differs from $LATEST in {', '.join(fixed)}, which cannot be copied to $LATEST"
            f"{_why(fixed)}",
            hint="deploy the version to a function of its own and tune that; nothing was changed",
        )
    if not names:
        return None
    return SettingsCopy(
        version=version.version,
        names=words(names),
        wanted={name: wanted[name] for name in names},
        own={name: own[name] for name in names},
        timeout_s=version.timeout_s,
        settings_sha256=version.settings_sha256,
    )


def _why(fixed: tuple[str, ...]) -> str:
    return " (to set a role takes iam:PassRole)" if "Role" in fixed else ""


def qualified_notes(target: Target) -> Iterator[str]:
    """What a user should know of a version or alias before it is tuned."""
    if target.shares:
        shares = ", ".join(f"{share:.3g} to version {other}" for other, share in target.shares)
        yield (
            f"alias {target.qualifier} leads to version {target.version}, which is tuned, but for "
            f"shares of its calls: {shares}"
        )
    if target.qualifier is not None and target.version == LATEST:
        yield f"alias {target.qualifier} leads to $LATEST, which is tuned"
    latest = target.borrowed
    if latest.memory_mb != target.memory_mb:
        yield (
            f"what is saved is against version {target.version} with "
            f"{megabytes(target.memory_mb)}; $LATEST has {megabytes(latest.memory_mb)} and keeps it"
        )
    if target.copy is not None:
        yield f"{copy_line(target.copy)}; then it gets its own back"


def copy_line(copy: SettingsCopy) -> str:
    """What traffic without a version meets where settings are copied."""
    return (
        "for the seconds of publishing, unqualified traffic meets the settings of version "
        f"{copy.version} ({', '.join(copy.names)})"
    )
