"""Patch operations, as the Update operations of API Gateway take them.

They look like JSON Patch (RFC 6902), with differences: values are text, each thing has a list of
the paths that it allows, and `add` to a list names the new member by its value. A path is like
`/throttle/rateLimit`, with `~1` for a slash and `~0` for a tilde in a segment.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sandbox.apigateway_api.context import Parameters
from sandbox.apigateway_api.refusing import bad_request
from sandbox.apigateway_api.state import Document

# From the text of a value and its path, for messages, to what is stored.
Parse = Callable[[str, str], object]

# API Gateway's integers have 32 bits.
MAX_WHOLE = 2**31 - 1

SERVED_OPS = ("add", "remove", "replace")

_WHOLE = re.compile(r"-?[0-9]{1,15}")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?(?:[eE][+-]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch operation."""

    op: str
    path: str
    value: str | None

    @property
    def keys(self) -> tuple[str, ...]:
        """The segments of the path."""
        return tuple(unescape(segment) for segment in self.path.removeprefix("/").split("/"))

    def text(self) -> str:
        """The value of an operation that must have one."""
        if self.value is None:
            raise bad_request(f"Invalid null or empty value in {self.path}")
        return self.value


def unescape(segment: str) -> str:
    """A segment of a JSON pointer, readable."""
    return segment.replace("~1", "/").replace("~0", "~")


def read_patches(parameters: Parameters) -> list[Patch]:
    """The patch operations of a call."""
    patches = []
    for operation in parameters.get("patchOperations", ()):
        op, path = operation.get("op"), operation.get("path")
        if op not in SERVED_OPS:
            raise bad_request(
                f"Invalid patch operation specified: {op}. Must be one of: "
                f"[{', '.join(SERVED_OPS)}]"
            )
        if not path or not path.startswith("/"):
            raise bad_request(f"Invalid patch path {path}: it must begin with '/'")
        patches.append(Patch(op, path, operation.get("value")))
    return patches


class Rule(Protocol):
    """What patches of one path do to a document."""

    @property
    def ops(self) -> tuple[str, ...]:
        """The operations that the path allows."""

    def apply(self, document: Document, patch: Patch) -> None:
        """Does it."""


# By path; a last segment `*` stands for any one segment.
Rules = Mapping[str, Rule]


def patched(document: Document, patches: list[Patch], rules: Rules) -> Document:
    """A copy of `document` with all patches; all of them or, with an error, none."""
    result = copy.deepcopy(document)
    for patch in patches:
        rule = _rule(patch, rules)
        if rule is None or patch.op not in rule.ops:
            raise invalid_path(patch, [path for path in rules if patch.op in rules[path].ops])
        rule.apply(result, patch)
    return result


def invalid_path(patch: Patch, allowed: list[str]) -> Exception:
    """AWS's answer to a path that nothing can be done with."""
    return bad_request(
        f"Invalid patch path '{patch.path}' specified for op '{patch.op}'. Must be one of: "
        f"[{', '.join(allowed)}]"
    )


def _rule(patch: Patch, rules: Rules) -> Rule | None:
    if patch.path in rules:
        return rules[patch.path]
    parent, _, last = patch.path.rpartition("/")
    return rules.get(f"{parent}/*") if last else None


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a document or of a structure in it: the path names it."""

    parse: Parse = lambda text, path: text
    ops: tuple[str, ...] = ("replace",)

    def apply(self, document: Document, patch: Patch) -> None:
        """Sets or removes it."""
        *outer, name = patch.keys
        for key in outer:
            document = document.setdefault(key, {})
        if patch.op == "remove":
            document.pop(name, None)
        else:
            document[name] = self.parse(patch.text(), patch.path)


@dataclass(frozen=True, slots=True)
class NamedInPath:
    """A list whose members stand in the path, such as `/binaryMediaTypes/image~1png`."""

    ops: tuple[str, ...] = SERVED_OPS

    def apply(self, document: Document, patch: Patch) -> None:
        """Adds, removes or replaces one member."""
        name, member = patch.keys
        members = document.setdefault(name, [])
        if patch.op == "add":
            members += [] if member in members else [member]
            return
        if member not in members:
            raise bad_request(f"Invalid patch path {patch.path}: there is no {member}")
        place = members.index(member)
        members[place : place + 1] = [] if patch.op == "remove" else [patch.text()]


@dataclass(frozen=True, slots=True)
class NamedInValue:
    """A list whose members stand in the value, such as `/authorizationScopes`."""

    ops: tuple[str, ...] = ("add", "remove")

    def apply(self, document: Document, patch: Patch) -> None:
        """Adds or removes one member."""
        (name,) = patch.keys
        members, member = document.setdefault(name, []), patch.text()
        if patch.op == "add":
            members += [] if member in members else [member]
        elif member in members:
            members.remove(member)
        else:
            raise bad_request(f"Invalid value {member} in {patch.path}: it is not there")


def as_bool(text: str, path: str) -> bool:
    """true or false."""
    if text.lower() not in ("true", "false"):
        raise bad_request(f"Invalid value {text} in {path}: it must be true or false")
    return text.lower() == "true"


def as_whole(text: str, path: str) -> int:
    """A whole number."""
    if _WHOLE.fullmatch(text) is None or abs(int(text)) > MAX_WHOLE:
        raise bad_request(
            f"Invalid value {text} in {path}: it must be a whole number of at most {MAX_WHOLE}"
        )
    return int(text)


def as_number(text: str, path: str) -> float:
    """A number."""
    if _NUMBER.fullmatch(text) is None:
        raise bad_request(f"Invalid value {text} in {path}: it must be a number")
    return float(text)


def one_of(*values: str) -> Parse:
    """Reads one of `values`."""

    def parse(text: str, path: str) -> str:
        if text not in values:
            raise bad_request(
                f"Invalid value {text} in {path}. Must be one of: [{', '.join(values)}]"
            )
        return text

    return parse
