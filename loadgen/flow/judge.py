"""What a step makes of an answer: its kind, what it captures, and whether its checks hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from loadgen.answer import Answer
from loadgen.classify import OK_CODE, Classifier
from loadgen.flow.json_path import JsonPath
from loadgen.flow.session import Session
from loadgen.flow.template import RESERVED, RenderError, Template, text_of
from loadgen.flow.texts import Texts
from loadgen.outcome import Evidence, Kind, Outcome
from loadgen.profile.model import Checks, Json

CHECK_FAILED: Final = Kind(Outcome.CHECK_FAILED).code

Find = Callable[[Answer], JsonValue]  # None: nothing was found
Check = Callable[[Answer, Session], bool]

_NAME: Final = re.compile(r"[^\W\d][\w-]*")
_SOURCE: Final = re.compile(r"\s*(json|header|body)\s*:\s*(.*\S)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Capture:
    """What to take from an answer. `needed`: later steps cannot do without it."""

    name: str
    find: Find
    needed: bool


class Judge:
    """Judges the answers of one step."""

    def __init__(
        self,
        step: str,
        classifier: Classifier,
        *,
        statuses: Sequence[int] | None,
        checks: Sequence[Check],
        captures: Sequence[Capture],
        cookies: bool,
    ) -> None:
        self._step = step
        self._classifier = classifier
        self._statuses = None if statuses is None else frozenset(statuses)
        self._checks = tuple(checks)
        self._captures = tuple(captures)
        self._cookies = cookies
        self._plain = not (cookies or captures or checks or statuses is not None)

    def kind(self, answer: Answer, session: Session) -> int:
        """The code of the kind. Marks the session as failed when later steps lack what they need.

        A check that fails, and a capture that finds nothing, turn ok into CHECK_FAILED; whatever
        else an answer is, it stays.
        """
        code = self._classifier.kind(answer, self._step)
        if self._plain:
            return code
        if self._cookies:
            session.keep_cookies(answer)
        code = self._expected(code, answer.status)
        missing = self._captured(answer, session)
        if code != OK_CODE:
            session.failed = session.failed or any(capture.needed for capture in missing)
            return code
        if missing:
            session.failed = True
            return CHECK_FAILED
        return OK_CODE if all(one(answer, session) for one in self._checks) else CHECK_FAILED

    def _expected(self, code: int, status: int) -> int:
        """The kind after `checks.status`: an error that is listed is ok. A rule outranks that."""
        if self._statuses is None:
            return code
        if code == OK_CODE:
            return code if status in self._statuses else CHECK_FAILED
        outcome, _, evidence = Kind.of(code)
        is_error = outcome in (Outcome.CLIENT_ERROR, Outcome.SERVER_ERROR)
        if is_error and evidence is not Evidence.RULE and status in self._statuses:
            return OK_CODE
        return code

    def _captured(self, answer: Answer, session: Session) -> list[Capture]:
        """Takes what there is; gives the captures that found nothing."""
        if not answer.status or answer.cause:
            return list(self._captures)
        missing: list[Capture] = []
        for capture in self._captures:
            value = capture.find(answer)
            if value is None:
                missing.append(capture)
            else:
                session.captured[capture.name] = value
        return missing


def parse_capture(text: str) -> Find:
    """How to find what `json: PATH`, `header: NAME`, `body: REGEX`, `$.PATH` or `header.NAME` says.

    Raises:
        ValueError: it is none of these, or its path or expression is wrong.
    """
    text = text.strip()
    if text.startswith("$"):
        return _in_json(text)
    if text.startswith("header.") and len(text) > len("header."):
        return _in_header(text.removeprefix("header."))
    found = _SOURCE.fullmatch(text)
    if found is None:
        raise ValueError(f"must be json: PATH, header: NAME, body: REGEX or $.PATH (got '{text}')")
    return {"json": _in_json, "header": _in_header, "body": _in_body}[found[1]](found[2])


def parse_captures(captures: Mapping[str, str], texts: Texts, needed: Set[str]) -> list[Capture]:
    """The captures of a step; `needed` has the names that later steps use.

    Raises:
        InputError: one cannot have this name, or does not say what to take.
    """
    found: list[Capture] = []
    for name, text in captures.items():
        key = f"capture.{name}"
        if not _NAME.fullmatch(name) or name in RESERVED:
            raise texts.fault(key, "a capture cannot have this name")
        try:
            found.append(Capture(name, parse_capture(text), name in needed))
        except ValueError as error:
            raise texts.fault(key, error) from error
    return found


def parse_checks(checks: Checks, texts: Texts) -> list[Check]:
    """All but `status`, in the order of the cost of a look.

    Raises:
        InputError: a path, expression or template is wrong.
    """
    found: list[Check] = []
    if checks.latency_s is not None:
        found.append(_latency(round(checks.latency_s * 1e9)))
    for name, expression in checks.headers.items():
        found.append(_header(name, _regex(texts, f"checks.headers.{name}", expression)))
    if checks.body is not None and checks.body.contains is not None:
        found.append(_contains(texts.template("checks.body.contains", checks.body.contains)))
    if checks.body is not None and checks.body.matches is not None:
        found.append(_matches(_regex(texts, "checks.body.matches", checks.body.matches)))
    for path, expected in checks.json_.items():
        key = f"checks.json.{path}"
        try:
            parsed = JsonPath(path)
        except ValueError as error:
            raise texts.fault(key, error) from error
        found.append(_json_equals(parsed, expected, texts, key))
    return found


def _regex(texts: Texts, key: str, expression: str) -> re.Pattern[str]:
    try:
        return re.compile(expression)
    except re.error as error:
        raise texts.fault(key, f"is no regular expression: {error}") from error


def _in_json(path: str) -> Find:
    parsed = JsonPath(path)

    def find(answer: Answer) -> JsonValue:
        try:
            return parsed.find(answer.json())
        except ValueError:
            return None

    return find


def _in_header(name: str) -> Find:
    return lambda answer: answer.header(name)


def _in_body(expression: str) -> Find:
    try:
        regex = re.compile(expression)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error} (got '{expression}')") from error
    group = 1 if regex.groups else 0

    def find(answer: Answer) -> JsonValue:
        found = regex.search(answer.text())
        return None if found is None else found[group]

    return find


def _latency(limit_ns: int) -> Check:
    return lambda answer, _: answer.end_ns - answer.start_ns <= limit_ns


def _header(name: str, regex: re.Pattern[str]) -> Check:
    def holds(answer: Answer, _: Session) -> bool:
        value = answer.header(name)
        return value is not None and regex.search(value) is not None

    return holds


def _contains(template: Template) -> Check:
    if template.is_constant:
        wanted = text_of(template.constant()).encode("utf-8", "replace")
        return lambda answer, _: wanted in answer.content()

    def holds(answer: Answer, session: Session) -> bool:
        try:
            return template.render(session).encode("utf-8", "replace") in answer.content()
        except RenderError:
            return False

    return holds


def _matches(regex: re.Pattern[str]) -> Check:
    return lambda answer, _: regex.search(answer.text()) is not None


def _json_equals(path: JsonPath, expected: Json, texts: Texts, key: str) -> Check:
    template = texts.template(key, expected) if isinstance(expected, str) else None

    def holds(answer: Answer, session: Session) -> bool:
        try:
            value = path.find(answer.json())
            wanted = expected if template is None else template.value(session)
        except (ValueError, RenderError):
            return False
        if same_json(value, wanted):
            return True
        # What a template gives often comes from a CSV file, where numbers are texts.
        scalars = not isinstance(value, dict | list) and value is not None
        is_filled_in = template is not None and bool(template.names)
        return is_filled_in and scalars and text_of(value) == text_of(wanted)

    return holds


def same_json(one: JsonValue, other: JsonValue) -> bool:
    """Whether two values are equal as JSON: 1 is 1.0, but true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return one == other
