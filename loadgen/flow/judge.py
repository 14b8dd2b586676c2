"""What a step makes of an answer: its kind, what it captures, and whether its checks hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from loadgen.answer import Answer
from loadgen.classify import OK_CODE, Classifier
from loadgen.failures import Reason
from loadgen.flow.json_path import JsonPath
from loadgen.flow.session import Session
from loadgen.flow.template import RESERVED, RenderError, Template, text_of
from loadgen.flow.texts import Texts, dumps
from loadgen.outcome import Evidence, Kind, Outcome
from loadgen.profile.model import Checks, Json
from loadgen.redact import HIDDEN, names_a_secret

CHECK_FAILED: Final = Kind(Outcome.CHECK_FAILED).code

Find = Callable[[Answer], JsonValue]  # None: nothing was found
Check = Callable[[Answer, Session], Reason | None]  # None: it holds

_BODY_WITHOUT: Final = "a body without it"
_NO_DATA: Final = "no value to compare with"
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
        self._statuses_words = " or ".join(map(str, statuses or ()))
        self._checks = tuple(checks)
        self._captures = tuple(captures)
        self._cookies = cookies
        self._plain = not (cookies or captures or checks or statuses is not None)

    def kind(self, answer: Answer, session: Session) -> int:
        """The code of the kind. Marks the session as failed when later steps lack what they need.

        A check that fails, and a capture that finds nothing, turn ok into CHECK_FAILED, for the
        reason that the session has then; whatever else an answer is, it stays.
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
            if code == CHECK_FAILED:
                session.reason = Reason("checks.status", self._statuses_words, str(answer.status))
            return code
        if missing:
            session.failed = True
            session.reason = Reason(f"capture {missing[0].name}", None, "nothing found")
            return CHECK_FAILED
        for check in self._checks:
            reason = check(answer, session)
            if reason is not None:
                session.reason = reason
                return CHECK_FAILED
        return OK_CODE

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
    slow = Reason("checks.latency", f"at most {limit_ns / 1e6:g} ms", "more")
    return lambda answer, _: None if answer.end_ns - answer.start_ns <= limit_ns else slow


def _header(name: str, regex: re.Pattern[str]) -> Check:
    key = f"checks.headers.{name}"
    absent = Reason(key, regex.pattern, "no such header")
    is_secret = names_a_secret(name)

    def check(answer: Answer, _: Session) -> Reason | None:
        value = answer.header(name)
        if value is None:
            return absent
        if regex.search(value) is not None:
            return None
        return Reason(key, regex.pattern, HIDDEN if is_secret else value)

    return check


def _contains(template: Template) -> Check:
    without = Reason("checks.body.contains", template.source, _BODY_WITHOUT)
    if template.is_constant:
        wanted = text_of(template.constant()).encode("utf-8", "replace")
        return lambda answer, _: None if wanted in answer.content() else without

    def check(answer: Answer, session: Session) -> Reason | None:
        try:
            wanted = template.render(session).encode("utf-8", "replace")
        except RenderError:
            return without._replace(got=_NO_DATA)
        return None if wanted in answer.content() else without

    return check


def _matches(regex: re.Pattern[str]) -> Check:
    without = Reason("checks.body.matches", regex.pattern, _BODY_WITHOUT)
    return lambda answer, _: None if regex.search(answer.text()) else without


def _json_equals(path: JsonPath, expected: Json, texts: Texts, key: str) -> Check:
    template = texts.template(key, expected) if isinstance(expected, str) else None
    is_secret = names_a_secret(path.source)
    no_json = Reason(key, HIDDEN if is_secret else _words(expected), "a body that is no JSON")

    def check(answer: Answer, session: Session) -> Reason | None:
        try:
            value = path.find(answer.json())
        except ValueError:
            return no_json
        try:
            wanted = expected if template is None else template.value(session)
        except RenderError:
            return no_json._replace(got=_NO_DATA)
        if same_json(value, wanted):
            return None
        # What a template gives often comes from a CSV file, where numbers are texts.
        scalars = not isinstance(value, dict | list) and value is not None
        is_filled_in = template is not None and bool(template.names)
        if is_filled_in and scalars and text_of(value) == text_of(wanted):
            return None
        if is_secret:
            return no_json._replace(got="nothing" if value is None else HIDDEN)
        # The same texts are told apart by their quotes: 7 and "7".
        alike = _words(value) == _words(wanted)
        as_json = _json_words(wanted) if alike and not is_filled_in else no_json.expected
        return Reason(key, as_json, _json_words(value) if alike else _words(value))

    return check


def _words(value: JsonValue) -> str:
    """A value as a reason has it."""
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else _json_words(value)


def _json_words(value: JsonValue) -> str:
    return dumps(value).decode("utf-8", "replace")


def same_json(one: JsonValue, other: JsonValue) -> bool:
    """Whether two values are equal as JSON: 1 is 1.0, but true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return one == other
