"""Which texts of a profile are templates, filled in anew for each request."""

from __future__ import annotations

from core.located_yaml import Path
from loadgen.steps import METHODS

# Of a step: texts, and mappings and lists with texts in them.
SENT = (*METHODS, "headers", "query", "json", "body", "form")


def is_template(path: Path) -> bool:
    """Whether the text at `path` is a template: of common headers, or of a step."""
    match path:
        case ("http", "headers", _):
            return True
        case ("scenarios", int(), "flow", int(), "checks", "body", "contains"):
            return True
        case ("scenarios", int(), "flow", int(), "checks", "json", _):
            return True
        case ("scenarios", int(), "flow", int(), str(key), *_):
            return key in SENT
    return False
