"""What of a profile and of a command line is secret, as far as it is written there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from pydantic import JsonValue

from loadgen.profile.model import Profile
from loadgen.redact import HIDDEN

# Headers, fields and variables whose name says that their value is secret.
_SECRET_NAME = re.compile(
    r"authorization|cookie|token|secret|passw|api[_-]?key|credential", re.IGNORECASE
)
# Of other fields than those of `auth`: "on" or "none" would blank out ordinary words.
_SHORTEST_CHARS = 6
# Names there are those of expectations and variables, not of what is sent.
_NOTHING_GIVEN = frozenset({"capture", "checks", "outcomes", "thresholds", "data"})
# What of `auth` may be read by everybody.
_OPEN = frozenset(
    {
        "client_id", "file", "header", "prefix", "profile", "refresh", "region", "service", "type",
        "username",
    }
)  # fmt: skip
_SECRET_OF_AUTH = frozenset({"value", "password", "client_secret"})
_ADDRESS = re.compile(r"/|[a-z]+://")  # where tokens are made is no secret
# A text that stands in for a variable is written in the file, whether it is used or not.
_DEFAULT = re.compile(r"\$\{\s*env\b[^}]*?:-([^}]*)\}")
_PASSWORD_IN_URL = re.compile(r"://[^/?#\s@:]*:([^/?#\s@]+)@")
_SPEAKS_OF_SECRETS = re.compile(rf"auth|{_SECRET_NAME.pattern}|{_PASSWORD_IN_URL.pattern}", re.I)
_AUTH_PART = re.compile(r"(?:^|\.)auth(?:\.|$)")


def given_secrets(profile: Profile) -> frozenset[str]:
    """The secrets that stand in a profile, `environments` and auths that nobody uses included.

    They are those of `auth`, and what headers, queries, bodies and variables call a token, a
    password or the like. Templates (`${...}`) are none, but what `${env.NAME:-default}` has is.
    """
    return secrets_in(profile.model_dump(mode="json", by_alias=True))


def secrets_in(document: JsonValue) -> frozenset[str]:
    """As `given_secrets`, of a profile that was only read and not checked yet."""
    return frozenset(_found(document))


def hidden_arguments(arguments: Sequence[str]) -> list[str]:
    """A command line to record: without the secret values of `--set`."""
    shown: list[str] = []
    for argument in arguments:
        if shown and shown[-1] == "--set":
            shown.append(_hidden_setting(argument))
        elif argument.startswith("--set="):
            shown.append("--set=" + _hidden_setting(argument.removeprefix("--set=")))
        else:
            shown.append(argument)
    return shown


def _found(value: JsonValue, name: str = "", parent: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in _NOTHING_GIVEN:
                yield from _found(item, key, name)
    elif isinstance(value, list):
        if name == "command" and parent == "auth":
            yield from _of_command([item for item in value if isinstance(item, str)])
        for item in value:
            yield from _found(item, name, parent)
    elif isinstance(value, str):
        yield from _in_url(value)
        for written in _DEFAULT.findall(value) if "${" in value else [value]:
            if parent == "auth":
                if name in _SECRET_OF_AUTH and written:
                    yield written
            elif _SECRET_NAME.search(name) and not _ADDRESS.match(written):
                yield from _long_ones(written, written.partition(" ")[2])  # of "Bearer TOKEN"


def _long_ones(*values: str) -> Iterator[str]:
    return (value for value in values if len(value) >= _SHORTEST_CHARS)


def _in_url(value: str) -> Iterator[str]:
    found = _PASSWORD_IN_URL.search(value)
    if found:
        yield found[1]


def _of_command(arguments: list[str]) -> Iterator[str]:
    """The values of options such as `--password`."""
    for option, following in pairwise([*arguments, ""]):
        if option.startswith("-") and _SECRET_NAME.search(option):
            _, equals, value = option.partition("=")
            yield from _long_ones(value if equals else following)


def _hidden_setting(setting: str) -> str:
    path, _, value = setting.partition("=")
    last = path.rpartition(".")[2]
    of_auth = _AUTH_PART.search(path) and last not in _OPEN
    # A whole part of a profile may hold an auth: --set 'environments={...}'.
    if value and (of_auth or _SECRET_NAME.search(last) or _SPEAKS_OF_SECRETS.search(value)):
        return f"{path}={HIDDEN}"
    return setting
