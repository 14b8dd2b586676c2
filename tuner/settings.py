"""The settings of a function that a version freezes: compared, and copied from one to another.

Each is brought to the form in which UpdateFunctionConfiguration takes it, since AWS shows one thing
in several ways: a function that never had a VPC, and one whose VPC was taken away. Keys are those
of botocore 1.44. Values hold secrets: they are in no text that this makes, and never written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Shown = Mapping[str, object]

_ENVIRONMENT = "Environment"
# How a variable of the environment is named where it is a setting of its own.
_VARIABLE = f"{_ENVIRONMENT}."

# What is no setting, or has a check of its own, or changes by itself: states, runtime patches.
_APART = frozenset(
    {
        "FunctionName",
        "FunctionArn",
        "MasterArn",
        "Version",
        "RevisionId",
        "ConfigSha256",
        "LastModified",
        "CodeSize",
        "CodeSha256",
        "SigningProfileVersionArn",
        "SigningJobArn",
        "Description",
        "MemorySize",
        "State",
        "StateReason",
        "StateReasonCode",
        "LastUpdateStatus",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
        "RuntimeVersionConfig",
        "ResponseMetadata",
    }
)
# Settings besides those of `_FORMS` of which a change makes another function to measure.
_ALSO_MEASURED = (
    "Role",
    "Architectures",
    "CapacityProviderConfig",
    "DurableConfig",
    "AcceleratorConfig",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings besides memory, Description and code.

    `values` are those that can be set, by parameters of UpdateFunctionConfiguration; None for one
    that is not there and cannot be cleared. `fixed` is all else, as it is shown, also what is not
    known here. `unreadable` says why AWS does not show some of it.
    """

    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    fixed: Mapping[str, object] = field(default_factory=dict, repr=False)
    unreadable: str | None = None

    @property
    def sha256(self) -> str:
        """A fingerprint of what makes it another function to measure."""
        also = {key: self.fixed.get(key) for key in _ALSO_MEASURED}
        text = json.dumps([self.values, also], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SettingsCopy:
    """What `$LATEST` gets of a version's settings while versions are published, and what it had.

    `version` is that of which they are, `names` say them in words. `wanted` and `own` are
    parameters of UpdateFunctionConfiguration. `timeout_s` and `settings_sha256` are those of
    `$LATEST` with the copy.
    """

    version: str
    names: tuple[str, ...]
    wanted: Mapping[str, object] = field(repr=False)
    own: Mapping[str, object] = field(repr=False)
    timeout_s: int
    settings_sha256: str


def settings_of(answer: Shown) -> Settings:
    """The settings in an answer with the configuration of a function or a version."""
    values = {name: form(answer) for name, (_, _, form) in _FORMS.items()}
    known = {key for _, key, _ in _FORMS.values()}
    fixed = {key: value for key, value in answer.items() if key not in known | _APART}
    for key, members in _MEMBERS.items():
        strange = list(_strange(answer.get(key), members))
        if strange:
            fixed[key] = strange
    return Settings(values, fixed, _unreadable(answer))


def words(parameters: Sequence[str]) -> tuple[str, ...]:
    """What to call settings in messages; variables of the environment may be by themselves."""
    return tuple(_words(name) for name in parameters)


def _words(parameter: str) -> str:
    if is_variable(parameter):
        return f"environment variable {parameter.removeprefix(_VARIABLE)}"
    return _FORMS[parameter][0] if parameter in _FORMS else parameter


def by_variable(values: Mapping[str, object]) -> dict[str, object]:
    """`values` with each variable of the environment as a setting of its own."""
    apart = {name: value for name, value in values.items() if name != _ENVIRONMENT}
    return {**apart, **{f"{_VARIABLE}{name}": value for name, value in _variables(values).items()}}


def is_variable(name: str) -> bool:
    """Whether a name of `by_variable` is that of a variable of the environment."""
    return name.startswith(_VARIABLE)


def with_changes(
    values: Mapping[str, object], changes: Mapping[str, object]
) -> Mapping[str, object]:
    """The parameters that give a function with `values` these changes, by variable."""
    changed = {name: value for name, value in changes.items() if not is_variable(name)}
    if len(changed) == len(changes):
        return changed
    variables = {
        **_variables(values),
        **{
            name.removeprefix(_VARIABLE): value
            for name, value in changes.items()
            if name not in changed
        },
    }
    kept = {name: value for name, value in variables.items() if value is not None}
    return {**changed, _ENVIRONMENT: {"Variables": kept}}


def _variables(values: Mapping[str, object]) -> Shown:
    return _part(_part(values, _ENVIRONMENT), "Variables")


def differing(one: Mapping[str, object], other: Mapping[str, object]) -> tuple[str, ...]:
    """The names of what differs, in a fixed order."""
    names = dict.fromkeys([*one, *other])
    return tuple(name for name in names if one.get(name) != other.get(name))


def _part(answer: Shown, key: str) -> Shown:
    value = answer.get(key)
    return value if isinstance(value, Mapping) else {}


def _list(answer: Shown, key: str) -> list[object]:
    value = answer.get(key)
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []


def _vpc(answer: Shown) -> object:
    vpc = _part(answer, "VpcConfig")
    return {
        "SubnetIds": sorted(map(str, _list(vpc, "SubnetIds"))),
        "SecurityGroupIds": sorted(map(str, _list(vpc, "SecurityGroupIds"))),
        "Ipv6AllowedForDualStack": bool(vpc.get("Ipv6AllowedForDualStack")),
    }


def _logging(answer: Shown) -> object:
    logging = _part(answer, "LoggingConfig")
    levels = ("ApplicationLogLevel", "SystemLogLevel")
    return {
        "LogFormat": logging.get("LogFormat") or "Text",
        "LogGroup": logging.get("LogGroup") or f"/aws/lambda/{answer.get('FunctionName')}",
        **{level: logging[level] for level in levels if logging.get(level)},
    }


def _image(answer: Shown) -> object:
    image = _part(_part(answer, "ImageConfigResponse"), "ImageConfig")
    return {key: value for key, value in image.items() if value}


def _layers(answer: Shown) -> object:
    return [item.get("Arn") for item in _list(answer, "Layers") if isinstance(item, Mapping)]


# By the parameter of UpdateFunctionConfiguration: words, the key of the answer, and the form. What
# is empty in it clears the setting, as the Terraform provider for AWS does.
_FORMS: Mapping[str, tuple[str, str, Callable[[Shown], object]]] = {
    "Timeout": ("timeout", "Timeout", lambda shown: shown.get("Timeout") or 3),
    "Environment": (
        "environment variables",
        "Environment",
        lambda shown: {"Variables": dict(_part(_part(shown, "Environment"), "Variables"))},
    ),
    "KMSKeyArn": ("KMS key", "KMSKeyArn", lambda shown: shown.get("KMSKeyArn") or ""),
    "Handler": ("handler", "Handler", lambda shown: shown.get("Handler") or None),
    "Runtime": ("runtime", "Runtime", lambda shown: shown.get("Runtime") or None),
    "Layers": ("layers", "Layers", _layers),
    "VpcConfig": ("VPC", "VpcConfig", _vpc),
    "FileSystemConfigs": (
        "file systems",
        "FileSystemConfigs",
        lambda shown: _list(shown, "FileSystemConfigs"),
    ),
    "EphemeralStorage": (
        "ephemeral storage",
        "EphemeralStorage",
        lambda shown: {"Size": _part(shown, "EphemeralStorage").get("Size") or 512},
    ),
    "TracingConfig": (
        "tracing",
        "TracingConfig",
        lambda shown: {"Mode": _part(shown, "TracingConfig").get("Mode") or "PassThrough"},
    ),
    "LoggingConfig": ("log settings", "LoggingConfig", _logging),
    "SnapStart": (
        "SnapStart",
        "SnapStart",
        # Only what somebody sets: whether the snapshot is made yet changes by itself.
        lambda shown: {"ApplyOn": _part(shown, "SnapStart").get("ApplyOn") or "None"},
    ),
    "DeadLetterConfig": (
        "dead letters",
        "DeadLetterConfig",
        lambda shown: {"TargetArn": _part(shown, "DeadLetterConfig").get("TargetArn") or ""},
    ),
    "ImageConfig": ("image settings", "ImageConfigResponse", _image),
}
# What the forms read of each, or may leave out; all else is not known here.
_MEMBERS: Mapping[str, frozenset[str]] = {
    "VpcConfig": frozenset({"SubnetIds", "SecurityGroupIds", "Ipv6AllowedForDualStack", "VpcId"}),
    "Environment": frozenset({"Variables", "Error"}),
    "Layers": frozenset({"Arn", "CodeSize", "SigningProfileVersionArn", "SigningJobArn"}),
    "EphemeralStorage": frozenset({"Size"}),
    "TracingConfig": frozenset({"Mode"}),
    "LoggingConfig": frozenset({"LogFormat", "LogGroup", "ApplicationLogLevel", "SystemLogLevel"}),
    "SnapStart": frozenset({"ApplyOn", "OptimizationStatus"}),
    "DeadLetterConfig": frozenset({"TargetArn"}),
    "ImageConfigResponse": frozenset({"ImageConfig", "Error"}),
}


def _strange(value: object, members: frozenset[str]) -> Iterator[object]:
    """What is in a setting that the forms do not read."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if key not in members and part:
                yield [key, part]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _strange(item, members)


def _unreadable(answer: Shown) -> str | None:
    for key in ("Environment", "ImageConfigResponse"):
        error = _part(_part(answer, key), "Error")
        if error:
            return f"{key}: {error.get('Message') or error.get('ErrorCode') or 'no reason given'}"
    return None
