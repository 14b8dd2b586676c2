"""Which operation of a rest-json service a request asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from botocore.model import OperationModel

from sandbox.service_models import service_model


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    labelled: _Node | None = None
    # By method: the operations that end here, the one that needs most query fields first.
    operations: dict[str, list[_Choice]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Choice:
    """An operation with the query fields that it needs, and its names of the labels on the way.

    Two operations may name one place differently: API Gateway has both
    `/resources/{parent_id}` and `/resources/{resource_id}`.
    """

    operation: OperationModel
    fixed: dict[str, str]
    label_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """An operation with the labels of its URI, percent-decoded."""

    operation: OperationModel
    labels: dict[str, str]


class RestJsonRouter:
    """The operations of one service model, by method, path and fixed query fields."""

    def __init__(self, service: str) -> None:
        self.model = service_model(service)
        self._root = _Node()
        for name in self.model.operation_names:
            self._add(self.model.operation_model(name))

    def _add(self, operation: OperationModel) -> None:
        path, _, query = operation.http["requestUri"].partition("?")
        node = self._root
        names: list[str] = []
        for segment in _segments(path):
            if not segment.startswith("{"):
                node = node.literals.setdefault(segment, _Node())
                continue
            if segment.endswith("+}"):
                raise ValueError(f"{operation.name}: a label for several segments: {segment}")
            names.append(segment[1:-1])
            node.labelled = node.labelled or _Node()
            node = node.labelled
        fixed = dict(parse_qsl(query, keep_blank_values=True))
        choices = node.operations.setdefault(operation.http["method"], [])
        choices.append(_Choice(operation, fixed, tuple(names)))
        choices.sort(key=lambda choice: -len(choice.fixed))

    def match(self, method: str, path: str, query: str) -> Match | None:
        """The operation for a request, or None where the service has none."""
        node = self._root
        values: list[str] = []
        for segment in _segments(path):
            following = node.literals.get(segment)
            if following is None:
                if node.labelled is None:
                    return None
                values.append(unquote(segment))
                following = node.labelled
            node = following
        for choice in node.operations.get(method, ()):
            if not choice.fixed or choice.fixed.items() <= dict(parse_qsl(query)).items():
                labels = dict(zip(choice.label_names, values, strict=True))
                return Match(choice.operation, labels)
        return None


def _segments(path: str) -> list[str]:
    """The parts of a path; older SDKs end some paths with a slash, which changes nothing."""
    return path.strip("/").split("/")
