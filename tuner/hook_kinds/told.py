"""What a hook is told, what it says, and what is told of one that does not do its work; pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import NoReturn

from core.aws.limits import SYNC_PAYLOAD_MAX_BYTES
from core.errors import AwsError, InputError
from core.text import one_line
from tuner.hook_kinds.asked import Asked, Step
from tuner.hook_kinds.process import ChildError
from tuner.hooks import HookError
from tuner.payload import checked
from tuner.redact import hidden_texts, redact

_TEXT_CHARS = 300


def call_variables(step: Step, function: str, memory_mb: int) -> Mapping[str, str]:
    """The environment variables that name the call."""
    return {"TUNE_STEP": step, "TUNE_FUNCTION": function, "TUNE_MEMORY_MB": str(memory_mb)}


def event_of(step: Step, payload: bytes, output: bytes | None) -> bytes:
    """The JSON that a command or a Lambda gets: the payload, for `post` with what came of it."""
    if step == "pre":
        return payload
    return b'{"payload": ' + payload + b', "output": ' + as_json(output) + b"}"


def as_json(output: bytes | None) -> bytes:
    """What a function gave, as JSON: `null` for nothing, a text for what is no JSON."""
    if not output:
        return b"null"
    try:
        json.loads(output.decode(), parse_int=str, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return json.dumps(output.decode(errors="replace")).encode()
    return output


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def said_by(asked: Asked, said: bytes) -> bytes | None:
    """The payload that a hook wants to be sent; None where it says nothing, or `null`.

    Raises:
        HookError: when it is no payload.
    """
    text = said.strip()
    if asked.step == "post" or text in (b"", b"null"):
        return None
    if len(text) > SYNC_PAYLOAD_MAX_BYTES:
        raise HookError(
            f"{asked.shown}: what it says is longer than {SYNC_PAYLOAD_MAX_BYTES} bytes, "
            "Lambda's limit for a synchronous call"
        )
    try:
        return checked(text, "what it says").content
    except InputError as error:
        raise HookError(f"{asked.shown}: {error}") from error


def hook_error(
    asked: Asked,
    memory_mb: int,
    error: AwsError | ChildError,
    *,
    payload: bytes,
    output: bytes | None,
) -> HookError:
    """What is told of a hook that did not do its work, without what event and answer hold."""
    when = "before" if asked.step == "pre" else "after"
    place = f"{asked.shown}, {when} a call at {memory_mb} MB"
    said = ""
    if isinstance(error, ChildError):
        hidden = hidden_texts(payload, as_json(output))
        said = last_words(error, lambda text: redact(text, hidden, most_chars=len(text)))
    return HookError(": ".join(part for part in (place, one_line(str(error)), said) if part))


def last_words(error: ChildError, safe: Callable[[str], str] = str) -> str:
    """What a program said of its failure, in one line; `safe` takes out what must not be shown."""
    if error.whole:
        return one_line(safe(error.whole))[:_TEXT_CHARS]
    lines = safe(error.complaint.decode(errors="replace")).splitlines()
    told = [line for line in lines if line.strip()]
    return one_line(told[-1])[:_TEXT_CHARS] if told else ""
