"""Which operation of a rest-json service a request asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    label: str | None = None
    labelled: _Node | None = None
    # By method: operations with the query fields that they need, the most demanding one first.
    operations: dict[str, list[tuple[OperationModel, dict[str, str]]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """An operation with the labels of its URI, percent-decoded."""

    operation: OperationModel
    labels: dict[str, str]


class RestJsonRouter:
    """The operations of one service model, by method, path and fixed query fields."""

    def __init__(self, service: str) -> None:
        self.model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
        self._root = _Node()
        for name in self.model.operation_names:
            self._add(self.model.operation_model(name))

    def _add(self, operation: OperationModel) -> None:
        path, _, query = operation.http["requestUri"].partition("?")
        node = self._root
        for segment in _segments(path):
            if not segment.startswith("{"):
                node = node.literals.setdefault(segment, _Node())
                continue
            name = segment[1:-1]
            # Two operations that name one place differently would need a table of names each.
            if node.label not in (None, name):
                raise ValueError(f"{operation.name}: {{{name}}} stands where {{{node.label}}} does")
            node.label = name
            node.labelled = node.labelled or _Node()
            node = node.labelled
        fixed = dict(parse_qsl(query, keep_blank_values=True))
        choices = node.operations.setdefault(operation.http["method"], [])
        choices.append((operation, fixed))
        choices.sort(key=lambda choice: -len(choice[1]))

    def match(self, method: str, path: str, query: str) -> Match | None:
        """The operation for a request, or None where the service has none."""
        node = self._root
        labels: dict[str, str] = {}
        for segment in _segments(path):
            following = node.literals.get(segment)
            if following is None:
                if node.labelled is None or node.label is None:
                    return None
                labels[node.label] = unquote(segment)
                following = node.labelled
            node = following
        for operation, fixed in node.operations.get(method, ()):
            if not fixed or fixed.items() <= dict(parse_qsl(query)).items():
                return Match(operation, labels)
        return None


def _segments(path: str) -> list[str]:
    """The parts of a path; older SDKs end some paths with a slash, which changes nothing."""
    return path.strip("/").split("/")
