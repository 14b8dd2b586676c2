"""Filter patterns of FilterLogEvents (CloudWatch Logs user guide, "Filter pattern syntax").

Terms (`ERROR -timeout "two words"`), any of several (`?ERROR ?WARN`), regular expressions
(`%ERR.*%`) and JSON selectors (`{ $.status = 429 }`, see `json_selector`). Patterns for
space-delimited fields (`[ip, user, ...]`) are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.logs_api.json_selector import PatternError, compile_regex, compile_selector

__all__ = ["PatternError", "compile_pattern"]

Matches = Callable[[str], bool]

_TERM = re.compile(
    r"""\s*(?P<prefix>[?-]?)(?:
        "(?P<phrase>(?:[^"\\]|\\.)*)"
      | %(?P<regex>[^%]+)%
      | (?P<word>\w+)
    )(?=\s|$)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Term:
    prefix: str
    matches: Matches


def compile_pattern(text: str) -> Matches:
    """Says of a message whether it matches; an empty pattern matches all.

    Raises:
        PatternError: the text is no pattern, or one that the sandbox does not serve.
    """
    stripped = text.strip()
    if stripped.startswith("{"):
        return compile_selector(stripped)
    if stripped.startswith("["):
        raise PatternError("the sandbox does not serve patterns for space-delimited fields")
    terms = _terms(stripped)
    required = [term.matches for term in terms if term.prefix == ""]
    excluded = [term.matches for term in terms if term.prefix == "-"]
    optional = [term.matches for term in terms if term.prefix == "?"]
    if optional and not required and not excluded:
        return lambda message: any(matches(message) for matches in optional)
    # As the user guide says, "?" is ignored beside other terms.
    return lambda message: (
        all(matches(message) for matches in required)
        and not any(matches(message) for matches in excluded)
    )


def _terms(text: str) -> list[_Term]:
    terms = []
    offset = 0
    while offset < len(text):
        found = _TERM.match(text, offset)
        if found is None:
            raise PatternError(
                f"character {offset + 1}: expected a term; what is not alphanumeric has to stand "
                "in double quotes"
            )
        terms.append(_Term(found["prefix"], _matcher(found)))
        offset = found.end()
    return terms


def _matcher(found: re.Match[str]) -> Matches:
    if found["regex"] is not None:
        pattern = compile_regex(found["regex"])
        return lambda message: pattern.search(message) is not None
    part = found["word"]
    if part is None:
        part = _ESCAPED.sub(r"\1", found["phrase"])
    return lambda message: part in message
