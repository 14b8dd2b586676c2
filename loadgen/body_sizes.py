"""How large the bodies of a profile are, beside what API Gateway and Lambda take."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from loadgen.profile.model import Profile, Scalar, Step
from loadgen.steps import method_and_path

# "Payload size: 10 MB" for REST and HTTP APIs ("Amazon API Gateway quotas", 2026).
GATEWAY_BYTES = 10 * 1024**2
# "6 MB each for request and response (synchronous)" ("Lambda quotas", 2026); of the whole event.
LAMBDA_BYTES = 6 * 1024**2


@dataclass(frozen=True, slots=True)
class BodySize:
    """The body of a step in bytes, as written: what templates in it become is not known.

    `event_bytes` is what it takes in the event of a Lambda proxy integration: escaped as JSON, or
    in base64 where it is no text.
    """

    bytes: int
    event_bytes: int
    has_templates: bool


def body_sizes(profile: Profile, base_dir: Path) -> tuple[BodySize | None, ...]:
    """The body of each step that sends a request; None of those without, or unreadable ones."""
    return tuple(
        _body_size(step, base_dir)
        for scenario in profile.scenarios
        for step in scenario.flow
        if method_and_path(step) is not None
    )


def _body_size(step: Step, base_dir: Path) -> BodySize | None:
    if step.body_file is not None:
        try:
            raw = (base_dir / step.body_file).read_bytes()
        except OSError:
            return None
        return BodySize(len(raw), _event_bytes(raw), has_templates=False)
    text = _text(step)
    if text is None:
        return None
    raw = text.encode()
    return BodySize(len(raw), _event_bytes(raw), has_templates="${" in text)


def _text(step: Step) -> str | None:
    if step.json_ is not None:
        return json.dumps(step.json_)
    if step.form is not None:
        fields: dict[str, Scalar] = step.form
        return urlencode({name: "" if value is None else value for name, value in fields.items()})
    return step.body


def _event_bytes(raw: bytes) -> int:
    try:
        return len(json.dumps(raw.decode()))
    except UnicodeDecodeError:
        return -(-len(raw) // 3) * 4
