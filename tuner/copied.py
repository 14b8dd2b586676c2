"""Puts back the settings that a run has copied from a version to `$LATEST`, setting by setting.

What `$LATEST` had is in a version of the run, so that AWS keeps it, secrets and all; what it was
given is in the version that it was copied from. Where it still has what the run gave it, it gets
its own back. Where it has something else, somebody has set that since, and it stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.errors import AwsError, FunctionNotFound
from tuner.journal import Beginning, Traces
from tuner.marker import parse_marker
from tuner.settings import by_variable, differing, is_variable, with_changes, words
from tuner.target import Target, read_target
from tuner.versions import PublishedVersion, list_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SettingsBack:
    """What is to be put back; variables of the environment count each by itself.

    `parameters` are those of UpdateFunctionConfiguration. `given` is what the run had set, by the
    settings that still have it. `foreign` names what somebody else has set since, in words.
    """

    parameters: Values = field(default_factory=dict, repr=False)
    given: Values = field(default_factory=dict, repr=False)
    foreign: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What is put back, in words."""
        return words(tuple(self.given))

    def left(self, target: Target) -> tuple[str, ...]:
        """What `target` still has of the run, in words."""
        values = by_variable(target.settings.values)
        return words([name for name, was in self.given.items() if values.get(name) == was])


def settings_back(
    client: LambdaClient,
    function: str,
    beginning: Beginning,
    target: Target,
    traces: Traces,
) -> SettingsBack:
    """What of its own settings `$LATEST`, which is `target`, has to be given back.

    Raises:
        AwsError: when it has those of a version, and nothing tells its own any more.
    """
    marker = parse_marker(target.description)
    if marker is not None and marker.run_id != beginning.run_id:
        return SettingsBack()
    copied = traces.copied if marker is None else marker.settings_of is not None
    if not copied:
        return SettingsBack()
    versions = _of_run(list_versions(client, function), beginning)
    keeping = {number: found.marker.kept_from for number, found in versions.items() if found.marker}
    for number, source in keeping.items():
        if source is None:
            continue
        measured = [other for other, kept_from in keeping.items() if kept_from is None]
        return _compared(client, function, target, number, [source, *measured])
    if marker is None:
        # It is deleted when all is as it was, so the run was killed just then.
        return SettingsBack()
    raise AwsError(
        f"{function} has settings of another version, and the version of run {beginning.run_id} "
        "that kept its own is gone",
        hint="deploy its settings again, and give it a Description of your own",
    )


def settings_left(
    client: LambdaClient, function: str, target: Target, keeping: str, source: str
) -> tuple[str, ...]:
    """What `$LATEST`, which is `target`, has of version `source` and not of its own, in words.

    `keeping` is the version that keeps its own.
    """
    return _compared(client, function, target, keeping, [source]).names


def _of_run(
    versions: Mapping[str, PublishedVersion], beginning: Beginning
) -> dict[str, PublishedVersion]:
    return {
        number: shown
        for number, shown in versions.items()
        if number not in beginning.existing_versions and shown.is_of(beginning.run_id)
    }


def _compared(
    client: LambdaClient, function: str, target: Target, keeping: str, sources: Sequence[str]
) -> SettingsBack:
    """`sources` are versions with what the run has set: any of them that is still there."""
    _check_readable(target, function)
    own = by_variable(_read(client, function, keeping).settings.values)
    now = by_variable(target.settings.values)
    if now == own:
        return SettingsBack()
    found = (_found(client, function, number) for number in sources)
    source = next((version for version in found if version is not None), None)
    if source is None:
        raise AwsError(
            f"the versions whose settings {function} was given are gone, so that it does not show "
            f"whose its settings are now; version {keeping} keeps those of before"
        )
    given = by_variable(source.settings.values)
    changed = differing(own, given)
    left = _left(changed, given, now)
    foreign = [name for name in changed if name not in left and now.get(name) != own.get(name)]
    back = {name: own.get(name) for name in left}
    return SettingsBack(
        with_changes(target.settings.values, back),
        {name: given.get(name) for name in left},
        words(foreign),
    )


def _left(changed: Sequence[str], given: Values, now: Values) -> list[str]:
    """Those of `changed` that are as the run has given them.

    Not the variables where none that the run has set is there any more: then all were replaced,
    and one that is missing is missing in theirs as well.
    """
    left = [name for name in changed if now.get(name) == given.get(name)]
    variables = [name for name in changed if is_variable(name) and name in given]
    if variables and not set(variables) & set(left):
        return [name for name in left if not is_variable(name)]
    return left


def _found(client: LambdaClient, function: str, version: str) -> Target | None:
    try:
        return _read(client, function, version)
    except FunctionNotFound:
        return None


def _read(client: LambdaClient, function: str, version: str) -> Target:
    """A version of the function with this ARN, whose settings can be read."""
    found = read_target(client, f"{function}:{version}", function.split(":")[3])
    _check_readable(found, f"version {version} of {function}")
    return found


def _check_readable(target: Target, what: str) -> None:
    if target.settings.unreadable is not None:
        raise AwsError(
            f"the settings of {what} cannot be read: {target.settings.unreadable}",
            hint="allow kms:Decrypt on the key",
        )
