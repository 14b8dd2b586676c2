"""What is laid over a document that people write: one of its environments, then settings.

Both keep the rest of the document and its places; a key without a value takes the key away. A value
of an environment keeps the place that it has in the section `environments`; a value of a setting
has none, so messages name the setting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from core.errors import InputError
from core.located_model import did_you_mean
from core.located_yaml import (
    Document,
    Path,
    Problem,
    Step,
    Unreadable,
    Value,
    dotted,
    read_document,
)

SECTION = "environments"
_TYPE = "type"

_BRACKETS = re.compile(r"\[(\d+)\]")
_USER_INFO = re.compile(r"://[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class LayerRules:
    """What a kind of document has of its own where something is laid over it.

    `what` is what messages call it, `example` a setting of it. Of the keys in `alternatives` a
    mapping has one, which decides what else it can have: one of them takes the place of all.
    Mappings under a key in `typed` are replaced as a whole by one of another `type`. Where a path
    has a key in `private`, a text on the command line may be a secret: messages show where it went,
    and not what it is.
    """

    what: str
    example: str
    alternatives: Mapping[Path, frozenset[str]] = field(default_factory=dict)
    typed: frozenset[str] = frozenset()
    private: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Setting:
    """One `--set a.b=c`; `text` is how messages show it."""

    path: Path
    value: Value
    text: str


def environment_names(document: Document) -> frozenset[str]:
    """The environments that a document defines."""
    section = document.at((SECTION,))
    return frozenset(section) if isinstance(section, dict) else frozenset()


def with_environment(document: Document, name: str, rules: LayerRules) -> Document:
    """The document with the environment `name` merged over it.

    Mappings are merged key by key, except where the rules say otherwise, and everything else is
    replaced.

    Raises:
        InputError: there is no such environment.
    """
    known = environment_names(document)
    if name not in known:
        raise InputError(
            f"there is no environment '{name}'"
            + (did_you_mean(name, known) or f" (the {rules.what} has no environments)")
        )
    merged = _copy(document)
    _Merging(merged, rules).lay((SECTION, name), ())
    return merged


def parsed_setting(text: str, rules: LayerRules) -> Setting:
    """The setting of `a.b.0.c=VALUE`, whose value is YAML; `a.b[0].c` is the same path.

    Raises:
        InputError: it has no path or no value, or the value is not YAML.
    """
    name, equals, written = text.partition("=")
    steps = _BRACKETS.sub(r".\1", name.strip()).split(".")
    if not equals or not all(steps):
        raise InputError(f"--set {text}: must be PATH=VALUE such as {rules.example}")
    path = tuple(int(step) if step.isascii() and step.isdigit() else step for step in steps)
    private = not rules.private.isdisjoint(path) or _USER_INFO.search(written) is not None
    shown = f"--set {name.strip()}={'...' if private else written}"
    try:
        read = read_document(written)
    except Unreadable as error:
        raise InputError(f"{shown}: {'the value' if private else error}: is not YAML") from error
    if read.problems:
        raise InputError(f"{shown}: {read.problems[0].message}")
    return Setting(path, read.value, shown)


def with_settings(
    document: Document, settings: Sequence[Setting]
) -> tuple[Document, dict[Path, Setting], list[str]]:
    """The document with settings put in, which of them each new path comes from, and faults.

    A path that leads past the end of a list by one adds to the list.
    """
    changed = _copy(document)
    origins: dict[Path, Setting] = {}
    faults: list[str] = []
    for setting in settings:
        try:
            origins[_put(changed, setting)] = setting
        except InputError as error:
            faults.append(f"{setting.text}: {error}")
    return changed, origins, faults


def contributed(document: Document, name: str) -> frozenset[Path]:
    """The paths that the environment `name` has something to say about."""
    prefix = (SECTION, name)
    return frozenset(path[2:] for path in document.values if path[:2] == prefix and path[2:])


def in_environment(found: Problem, name: str) -> Problem:
    """A problem of merged values under the name that they have in the file."""
    return Problem(found.place, (SECTION, name, *found.path), found.message)


# -- environments ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Merging:
    """Lays one part of a document over another."""

    document: Document
    rules: LayerRules

    def lay(self, source: Path, target: Path) -> None:
        """Lays what is at `source` over what is at `target`."""
        document = self.document
        new, old = document.at(source), document.at(target)
        if not (isinstance(new, dict) and isinstance(old, dict)) or self._differs(old, new, target):
            _replace(document, source, target)
            return
        one_of = self.rules.alternatives.get(target, frozenset())
        for name in one_of & old.keys():
            if not (one_of & new.keys() <= {name}):
                _forget(document, (*target, name))
                del old[name]
        # Environments have none of their own, and must not change what is being read.
        for key in new.keys() - {SECTION} if not target else list(new):
            self.lay((*source, key), (*target, key))

    def _differs(self, old: dict[str, Value], new: dict[str, Value], target: Path) -> bool:
        """Whether the new mapping is of another type than the old one."""
        is_typed = not self.rules.typed.isdisjoint(target[-1:])
        return is_typed and _TYPE in new and new[_TYPE] != old.get(_TYPE)


def _replace(document: Document, source: Path, target: Path) -> None:
    """Puts a copy of what is at `source` to `target`, with its places."""
    if not target:
        return
    _forget(document, target)
    parent, value = document.at(target[:-1]), document.at(source)
    if isinstance(parent, dict):
        parent.pop(str(target[-1]), None)
        if value is None:
            return
        parent[str(target[-1])] = deepcopy(value)
    for places in (document.keys, document.values):
        inside = [path for path in places if path[: len(source)] == source]
        for path in inside:
            places[(*target, *path[len(source) :])] = places[path]


def _forget(document: Document, target: Path) -> None:
    for places in (document.keys, document.values):
        for path in [path for path in places if path[: len(target)] == target]:
            del places[path]


# -- settings -------------------------------------------------------------------------------------


def _put(document: Document, setting: Setting) -> Path:
    """Puts a value in, with the mappings that lead to it; gives the path of the first new thing.

    Raises:
        InputError: the path leads nowhere.
    """
    *parents, last = setting.path
    created: Path | None = None
    here: Value = document.value
    walked: list[Step] = []
    for step in parents:
        walked.append(step)
        inner = _get(here, step, walked)
        if inner is None:
            created = created or tuple(walked)
            inner = {}
            _set(here, step, inner, walked)
        here = inner
    _set(here, last, deepcopy(setting.value), [*parents, last])
    _forget(document, created or setting.path)
    return created or setting.path


def _get(here: Value, step: Step, walked: Sequence[Step]) -> Value:
    if isinstance(here, list):
        index = _index(here, step, walked)
        return here[index] if index < len(here) else None
    if isinstance(here, dict):
        return here.get(str(step))
    raise InputError(f"{dotted(tuple(walked[:-1]))} has no parts")


def _set(here: Value, step: Step, value: Value, walked: Sequence[Step]) -> None:
    if isinstance(here, list):
        index = _index(here, step, walked)
        here[index:] = [value, *here[index + 1 :]]
    elif isinstance(here, dict):
        here.pop(str(step), None)
        if value is not None:
            here[str(step)] = value
    else:
        raise InputError(f"{dotted(tuple(walked[:-1]))} has no parts")


def _index(here: list[Value], step: Step, walked: Sequence[Step]) -> int:
    if isinstance(step, int) and step <= len(here):
        return step
    name = dotted(tuple(walked[:-1]))
    raise InputError(f"{name} is a list of {len(here)}: use a number from 0 to {len(here)}")


def _copy(document: Document) -> Document:
    return Document(
        deepcopy(document.value),
        list(document.problems),
        dict(document.keys),
        dict(document.values),
    )
