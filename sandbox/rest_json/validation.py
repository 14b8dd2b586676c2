"""The constraints of the model, checked and worded as AWS does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import cast

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

# Limits that the model does not tell, by shape name: (minimum, maximum).
Limits = Mapping[str, tuple[int, int]]


class Validator:
    """Finds what a call's parameters break in their model.

    `limits` replace the model's for the shapes that they name; `open_enums` are shapes whose
    values are not checked against the model's list.
    """

    def __init__(self, limits: Limits, open_enums: frozenset[str]) -> None:
        self._limits = limits
        self._open_enums = open_enums

    def violations(self, shape: Shape | None, parameters: Mapping[str, object]) -> list[str]:
        """One sentence for each broken constraint, in the order of the model."""
        if shape is None:
            return []
        return list(self._structure(cast(StructureShape, shape), parameters, ""))

    def _structure(
        self, shape: StructureShape, values: Mapping[str, object], path: str
    ) -> Iterator[str]:
        for name, member in shape.members.items():
            where = f"{path}{name[0].lower()}{name[1:]}"
            value = values.get(name)
            if value is not None:
                yield from self._value(member, value, where)
            elif name in shape.required_members:
                yield f"Value null at '{where}' {_MUST} not be null"

    def _value(self, shape: Shape, value: object, where: str) -> Iterator[str]:
        match shape:
            case StructureShape():
                yield from self._structure(shape, cast(Mapping[str, object], value), f"{where}.")
            case ListShape():
                yield from self._collection(shape, cast(list[object], value), where)
            case MapShape():
                yield from self._map(shape, cast(Mapping[str, object], value), where)
            case _:
                for demand in self._broken(shape, value):
                    yield f"Value '{_shown(value)}' at '{where}' {_MUST} {demand}"

    def _collection(self, shape: ListShape, items: list[object], where: str) -> Iterator[str]:
        shown = f"[{', '.join(_shown(item) for item in items)}]"
        for demand in self._broken(shape, items):
            yield f"Value '{shown}' at '{where}' {_MUST} {demand}"
        for number, item in enumerate(items, start=1):
            if isinstance(shape.member, StructureShape | ListShape | MapShape):
                yield from self._value(shape.member, item, f"{where}.{number}.member")
                continue
            demands = [f"Member must {demand}" for demand in self._broken(shape.member, item)]
            if demands:
                yield (
                    f"Value '{shown}' at '{where}' {_MUST} satisfy constraint: "
                    f"[{', '.join(demands)}]"
                )

    def _map(self, shape: MapShape, pairs: Mapping[str, object], where: str) -> Iterator[str]:
        shown = "{" + ", ".join(f"{key}={_shown(value)}" for key, value in pairs.items()) + "}"
        for part, values in ((shape.key, list(pairs)), (shape.value, list(pairs.values()))):
            demands = {
                f"Member must {demand}" for value in values for demand in self._broken(part, value)
            }
            if demands:
                kind = "keys" if part is shape.key else "values"
                yield (
                    f"Value '{shown}' at '{where}' failed to satisfy constraint: "
                    f"Map {kind} must satisfy constraint: [{', '.join(sorted(demands))}]"
                )

    def _broken(self, shape: Shape, value: object) -> Iterator[str]:
        """What `value` would have to do, for each constraint of its own that it breaks."""
        low, high = self._limits.get(
            shape.name, (shape.metadata.get("min"), shape.metadata.get("max"))
        )
        if isinstance(value, str | bytes | list):
            if low is not None and len(value) < low:
                yield f"have length greater than or equal to {low}"
            if high is not None and len(value) > high:
                yield f"have length less than or equal to {high}"
        elif isinstance(value, int | float) and not isinstance(value, bool):
            if low is not None and value < low:
                yield f"have value greater than or equal to {low}"
            if high is not None and value > high:
                yield f"have value less than or equal to {high}"
        if isinstance(value, str):
            yield from self._broken_text(shape, value)

    def _broken_text(self, shape: Shape, value: str) -> Iterator[str]:
        pattern = shape.metadata.get("pattern")
        if pattern is not None and _compiled(pattern).fullmatch(value) is None:
            yield f"satisfy regular expression pattern: {pattern}"
        if isinstance(shape, StringShape) and shape.name not in self._open_enums:
            values = shape.enum
            if values and value not in values:
                yield f"satisfy enum value set: [{', '.join(values)}]"


_MUST = "failed to satisfy constraint: Member must"


# Unicode classes that Java has and Python has not; those in the models stand side by side in one
# set, so that the wider ones of Python come to the same.
_JAVA_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s"}


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    for java, python in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.compile(pattern)


def _shown(value: object) -> str:
    """A value as AWS quotes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return "java.nio.HeapByteBuffer"
    return str(value)
