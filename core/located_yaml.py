"""YAML text as plain values that know where in the text they are.

YAML is read as its version 1.2 has it: `on` and `yes` are words. What could surprise - keys that
come twice, several documents, tags, merge keys - is refused. All keys become strings. In templates
of CloudFormation and its kin, tags and merge keys have their meaning: `!Sub x` is `{Fn::Sub: x}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from core.errors import InputError
from core.text import one_line

Step = str | int
Path = tuple[Step, ...]
Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]

_MAX_BYTES = 1_000_000
# Far beyond what people write by hand; aliases of aliases could otherwise fill the memory.
_MAX_NODES = 50_000
_MAX_DEPTH = 50
_HALF = "has half of a character, which is no Unicode text"
_TAG_PREFIX = "tag:yaml.org,2002:"
_MERGE = "<<"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a text; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, where it is, and what the value there is called."""

    place: Place
    path: Path
    message: str

    def text(self, file: str) -> str:
        """The problem as one line."""
        where = f"{file}:{self.place.line}:{self.place.column}"
        name = dotted(self.path)
        return one_line(f"{where}: {name}: {self.message}" if name else f"{where}: {self.message}")


class Unreadable(Exception):
    """When a text has problems that leave no document to look at."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


@dataclass(slots=True)
class Document:
    """The values of a text, and the places of keys and values by their paths."""

    value: Value = None
    problems: list[Problem] = field(default_factory=list)
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)

    def resolve(self, steps: Sequence[Step]) -> Path:
        """Those of `steps` that lead somewhere here."""
        value, path = self.value, list[Step]()
        for step in steps:
            inner = _inner(value, step)
            if inner is not None:
                (value,) = inner
                path.append(step)
        return tuple(path)

    def at(self, path: Path) -> Value:
        """The value of a path; None where there is none."""
        value = self.value
        for step in path:
            inner = _inner(value, step)
            if inner is None:
                return None
            (value,) = inner
        return value

    def place(self, path: Path, *, of_key: bool = False) -> Place:
        """Where the value (or the key) of `path` is; of what is missing, its surroundings."""
        if of_key and path in self.keys:
            return self.keys[path]
        for length in range(len(path), -1, -1):
            found = self.values.get(path[:length])
            if found is not None:
                return found if length == len(path) else self.keys.get(path[:length], found)
        return Place(1, 1)


def read_text(path: FilePath) -> str:
    """The text of a file that people write, of a megabyte at most.

    Raises:
        InputError: it cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"could not read {path}: {error.strerror}") from error
    if len(content) > _MAX_BYTES:
        raise InputError(f"{path}: must have at most {_MAX_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text: {error.reason}") from error


def read_document(text: str, *, is_template: bool = False) -> Document:
    """The document in `text`; in a template, local tags and merge keys are read as well.

    Problems that leave the rest readable are in the `problems` of the document.

    Raises:
        Unreadable: it is not YAML, or it is too large or too deep.
    """
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        raise Unreadable([Problem(place, (), _yaml_message(error))]) from error
    except YAMLError as error:
        raise Unreadable([Problem(*_position(text, error))]) from error
    except RecursionError as error:
        raise Unreadable([Problem(Place(1, 1), (), "is nested too deeply")]) from error
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        # The parser has no error of its own for some texts that are not YAML.
        raise Unreadable([Problem(Place(1, 1), (), f"is not YAML: {error}")]) from error
    document = Document()
    if root is not None:
        document.value = _Reader(document, is_template=is_template).value(root, (), ())
    return document


def dotted(path: Path) -> str:
    """A path as people write it: `apis.orders.routes[2].function`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


class _Reader:
    """Turns nodes into values, and notes their places."""

    def __init__(self, document: Document, *, is_template: bool) -> None:
        self._document = document
        self._is_template = is_template
        self._nodes = 0

    def value(self, node: Node, path: Path, parents: tuple[int, ...]) -> Value:
        place = _place(node)
        self._nodes += 1
        if self._nodes > _MAX_NODES or len(path) > _MAX_DEPTH or id(node) in parents:
            raise Unreadable([Problem(place, path, "is nested too deeply, or is too large")])
        self._document.values[path] = place
        inside = (*parents, id(node))
        tag = str(node.tag)
        function = _function_of(tag) if self._is_template else None
        if function is not None:
            return {function: self._untagged(node, (*path, function), inside)}
        if isinstance(node, MappingNode) and tag == f"{_TAG_PREFIX}map":
            return self._mapping(node, path, inside)
        if isinstance(node, SequenceNode) and tag == f"{_TAG_PREFIX}seq":
            return self._sequence(node, path, inside)
        if isinstance(node, ScalarNode):
            try:
                return _scalar(node)
            except ValueError as error:
                self._report(place, path, str(error))
                return None
        self._report(place, path, f"the tag {node.tag} is not known here")
        return None

    def _mapping(self, node: MappingNode, path: Path, parents: tuple[int, ...]) -> Value:
        found: dict[str, Value] = {}
        merged: list[Value] = []
        for key_node, value_node in node.value:
            place = _place(key_node)
            if self._is_template and key_node.tag == f"{_TAG_PREFIX}merge":
                more = self.value(value_node, (*path, _MERGE), parents)
                merged += more if isinstance(more, list) else [more]
                continue
            if not isinstance(key_node, ScalarNode):
                self._report(place, path, "a key must be a word")
                continue
            if key_node.tag == f"{_TAG_PREFIX}merge":
                self._report(place, path, "merge keys (<<) are not supported: repeat the keys")
                continue
            key = str(key_node.value)
            if not _is_text(key):
                self._report(place, path, f"a key {_HALF}")
                continue
            inner = (*path, key)
            if key in found:
                first = self._document.keys[inner].line
                self._report(place, inner, f"comes twice: it is in line {first} as well")
                continue
            self._document.keys[inner] = place
            found[key] = self.value(value_node, inner, parents)
        for more in merged:
            # Keys of the mapping itself go first, then those of the first that is merged.
            found = {**more, **found} if isinstance(more, dict) else found
        return found

    def _sequence(self, node: SequenceNode, path: Path, parents: tuple[int, ...]) -> Value:
        return [self.value(item, (*path, index), parents) for index, item in enumerate(node.value)]

    def _untagged(self, node: Node, path: Path, parents: tuple[int, ...]) -> Value:
        """The value of a node without regard to its tag; of a scalar, its text."""
        if isinstance(node, MappingNode):
            return self._mapping(node, path, parents)
        if isinstance(node, SequenceNode):
            return self._sequence(node, path, parents)
        return str(node.value)

    def _report(self, place: Place, path: Path, message: str) -> None:
        self._document.problems.append(Problem(place, path, message))


def _function_of(tag: str) -> str | None:
    """The function of a template that a local tag is short for; None for tags of YAML itself."""
    if not tag.startswith("!") or len(tag) < 2:
        return None
    name = tag[1:]
    return name if name in ("Ref", "Condition") else f"Fn::{name}"


def _scalar(node: ScalarNode) -> Value:
    """The value of a scalar.

    Raises:
        ValueError: it has a tag that is not known, or is no value of its tag.
    """
    text: str = node.value
    kind = str(node.tag).removeprefix(_TAG_PREFIX)
    if kind in ("str", "timestamp"):
        if not _is_text(text):
            raise ValueError(_HALF)
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("true", "yes", "on", "y")
    if kind == "int":
        return _integer(text)
    if kind == "float":
        return _float(text)
    raise ValueError(f"the tag {node.tag} is not known here")


def _is_text(text: str) -> bool:
    """Whether UTF-8 can have it: YAML's escapes can write the half of a character."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _integer(text: str) -> int:
    digits = text.replace("_", "").lower()
    unsigned = digits.lstrip("+-")
    if len(unsigned) > 20:
        raise ValueError("is too large a number")
    base = {"0x": 16, "0o": 8, "0b": 2}.get(unsigned[:2], 10)
    try:
        return int(digits, base)
    except ValueError:
        raise ValueError(f"is not a number (got {text})") from None


def _float(text: str) -> float:
    try:
        return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        raise ValueError(f"is not a number (got {text})") from None


def _inner(value: Value, step: Step) -> tuple[Value] | None:
    """What `step` leads to in `value`, in a tuple; None where it leads nowhere."""
    if isinstance(value, dict) and str(step) in value:
        return (value[str(step)],)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        return (value[step],)
    return None


def _place(node: Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _yaml_message(error: MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    message = one_line(", ".join(parts)) or "is not YAML"
    if "'\\t'" in message:
        return "a tab cannot indent YAML: use spaces"
    if "but got '{'" in message:
        # `{path: /orders/{id}}`: the one mistake that a format full of paths invites.
        message += "; put text with braces in quotes"
    if "mapping values are not allowed here" in message:
        message += ": put text with a colon and a blank in quotes"
    return f"is not YAML: {message}" if message != "is not YAML" else message


def _position(text: str, error: YAMLError) -> tuple[Place, Path, str]:
    """Of an error that knows only the position of a character."""
    position = getattr(error, "position", 0)
    before = text[: position if isinstance(position, int) else 0]
    place = Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
    reason = one_line(str(error).splitlines()[0]) if str(error) else "is not YAML"
    return place, (), f"is not YAML: {reason}"
