"""Texts of a profile that have a grammar: regular expressions, header fields, paths, templates.

Each check gives what is wrong in words, or None. None of them repeats more of a text than the
`(got X)` that it is given, because what comes from the environment is not shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from core.errors import InputError
from core.located_yaml import Path
from loadgen.profile.draft import Draft

# A token of RFC 9110, 5.6.2.
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Visible characters of ISO 8859-1, blanks and tabs: what a header value can have.
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
# The client writes these itself, from what it sends.
_OF_THE_CLIENT = frozenset(
    {"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade", "expect", "te"}
)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")
_NAME_IN_TEMPLATES = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parsed_or_fault(
    draft: Draft, path: Path, parse: Callable[[str], object], kind: str
) -> str | None:
    """What `parse` says of the text at `path`; of a hidden text only that it is no `kind`."""
    text = draft.text(*path)
    if text is None:
        return None
    try:
        parse(text)
    except (ValueError, InputError) as error:
        return f"is no {kind} {draft.got(*path)}" if draft.is_hidden(*path) else str(error)
    return None


def regex_fault(draft: Draft, *path: str | int) -> str | None:
    """Of a regular expression."""
    text = draft.text(*path)
    if text is None:
        return None
    try:
        re.compile(text)
    except re.error as error:
        reason = "" if draft.is_hidden(*path) else f": {error}"
        return f"is no regular expression{reason} {draft.got(*path)}"
    except (RecursionError, OverflowError):
        return f"is too complex a regular expression {draft.got(*path)}"
    return None


def header_name_fault(name: str) -> str | None:
    """Of the name of a header that is looked at."""
    if _HEADER_NAME.fullmatch(name) is None:
        return "no header can have this name"
    return None


def sent_header_fault(name: str) -> str | None:
    """Of the name of a header that is sent."""
    if name.lower() in _OF_THE_CLIENT:
        return "the client writes this header itself: leave it out"
    return header_name_fault(name)


def header_value_fault(value: str) -> str | None:
    """Of the value of a header; it is not shown, because it may be a secret."""
    if "\n" in value or "\r" in value:
        return "has a line break, which no header value can have"
    if _HEADER_VALUE.fullmatch(value) is None:
        return "has a character that no header value can have"
    return None


def region_fault(draft: Draft, *path: str | int) -> str | None:
    """Of the name of an AWS region."""
    text = draft.text(*path)
    if text is None or _REGION.fullmatch(text):
        return None
    return f"must be a region such as eu-west-1 {draft.got(*path)}"


def name_fault(name: str) -> str | None:
    """Of a name that `${...}` is to reach."""
    if _NAME_IN_TEMPLATES.fullmatch(name) is None:
        return "bad name: must be letters, digits and _, and begin with no digit"
    return None
