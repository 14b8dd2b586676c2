"""Keeps keys, tokens, passwords and signatures out of everything that a run writes.

Known secrets are found in each form in which a file or an answer is likely to hold them. Excerpts
of answers are treated more strictly, since an API may send secrets that nobody here knows.
"""

from __future__ import annotations

import base64
import html
import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

from pydantic import JsonValue

HIDDEN = "<hidden>"

# Shorter values are hidden only as whole words: the rest of a text would not be readable.
_SHORTEST_PART_CHARS = 4
# Of the base64 of some text with the secret in it; shorter ones occur by chance.
_SHORTEST_BASE64_CHARS = 8
_EXCERPT_CHARS = 120
# What of an answer is searched for known secrets, and what of that for unknown ones.
_LOOKED_AT_CHARS = 4_096
_SEARCHED_CHARS = 600
# A cut answer may end inside of a secret; fewer of its characters tell nothing.
_SHORTEST_BEGINNING_CHARS = 6

# What fields are called whose value is nobody's business.
_NAMED = r"token|secret|passw|api[_-]?key|authorization|cookie|credential|signature"
_UNKNOWN_SECRETS = (
    (re.compile(r"\b(Bearer|Basic)\s+(?=\S*[0-9=])[\w.~+/=-]{8,}", re.I), rf"\1 {HIDDEN}"),
    # JSON fields, also cut ones.
    (re.compile(rf'("[^"]{{0,40}}(?:{_NAMED})[^"]{{0,40}}"\s*:\s*)"(?:[^"\\]|\\.)*"?', re.I),
     rf'\1"{HIDDEN}"'),
    # Fields of forms, queries and Authorization headers.
    (re.compile(rf"\b([\w-]{{0,40}}(?:{_NAMED})[\w-]{{0,40}}=)[^\s&,;\"'<]+", re.I),
     rf"\1{HIDDEN}"),
    # JSON Web Tokens.
    (re.compile(r"\beyJ[\w-]{10,}(?:\.[\w-]*)*"), HIDDEN),
)  # fmt: skip


_SECRET_NAME = re.compile(_NAMED, re.I)


def names_a_secret(name: str) -> bool:
    """Whether a field, a header or a column is called what nobody should read."""
    return _SECRET_NAME.search(name) is not None


class Secrets:
    """What must never be written, and how to hide it."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: frozenset[str] = frozenset()
        self._forms: tuple[str, ...] = ()
        self._words: tuple[re.Pattern[str], ...] = ()
        self.add(values)

    def add(self, values: Iterable[str]) -> None:
        """Hides these too; credentials are renewed while a run goes on."""
        new = {value for value in values if value} - self._values
        if not new:
            return
        self._values |= new
        long = {value for value in new if len(value) >= _SHORTEST_PART_CHARS}
        forms = set(self._forms).union(*map(forms_of, long))
        self._words += tuple(
            re.compile(rf"(?<!\w){re.escape(value)}(?!\w)") for value in sorted(new - long)
        )
        # Longest first, so that nothing is left of a form in which another one is contained.
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))

    def hide(self, text: str) -> str:
        """`text` with `<hidden>` for each secret in it, however it is encoded."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, HIDDEN)
        for word in self._words:
            text = word.sub(HIDDEN, text)
        return text

    def hide_in(self, value: JsonValue) -> JsonValue:
        """A JSON value with `<hidden>` for each secret in its texts and keys."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, list):
            return [self.hide_in(item) for item in value]
        if isinstance(value, dict):
            return {self.hide(key): self.hide_in(item) for key, item in value.items()}
        return value

    def safe_excerpt(self, body: bytes) -> str:
        """The beginning of an answer, to show as an example: 120 characters at most, one line.

        Hidden are also what looks like a token, a signature or a password, and the beginning of
        a secret where the answer was cut. Takes 25 us to 3 ms: for examples, not for each answer.
        """
        if b"\0" in body[:_LOOKED_AT_CHARS]:
            return f"<binary, {len(body):,} bytes>"
        # Bytes outnumber characters, so this many hold what is looked at.
        text = body[: 4 * _LOOKED_AT_CHARS].decode(errors="replace")[:_LOOKED_AT_CHARS]
        if text.count("\ufffd") > len(text) / 4:
            return f"<binary, {len(body):,} bytes>"
        text = self._without_cut_secret(self.hide(text))
        line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
        shown = line[:_SEARCHED_CHARS]
        for pattern, instead in _UNKNOWN_SECRETS:
            shown = pattern.sub(instead, shown)
        whole = len(line) <= _SEARCHED_CHARS and len(shown) <= _EXCERPT_CHARS
        return shown if whole else shown[: _EXCERPT_CHARS - 1] + "…"

    def in_bytes(self, content: bytes) -> bool:
        """Whether a file of this content has a secret in it, in any form."""
        if any(form.encode(errors="replace") in content for form in self._forms):
            return True
        text = content.decode(errors="replace") if self._words else ""
        return any(word.search(text) for word in self._words)

    def _without_cut_secret(self, text: str) -> str:
        """`text` without the beginning of a secret at its end."""
        for form in self._forms:
            begins = form[:_SHORTEST_BEGINNING_CHARS]
            at = text.find(begins, max(0, len(text) - len(form)))
            while at >= 0:
                if form.startswith(text[at:]):
                    return text[:at] + HIDDEN
                at = text.find(begins, at + 1)
        return text


def forms_of(value: str) -> frozenset[str]:
    """How a secret may be written in a file, an answer or a URL."""
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    forms = {value, repr(value)[1:-1], html.escape(value), html.escape(value, quote=False)}
    forms |= escaped | {form.replace("/", "\\/") for form in escaped}
    forms |= {json.dumps(form)[1:-1] for form in escaped}  # JSON in a text of JSON
    encoded = {
        quote(value, safe="", errors="replace"),
        quote(value, errors="replace"),
        quote_plus(value, errors="replace"),
    }
    forms |= encoded | {_lower_digits(form) for form in encoded}
    return frozenset(forms) | frozenset(_base64_forms(value.encode(errors="replace")))


def _lower_digits(encoded: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), encoded)


def _base64_forms(secret: bytes) -> Iterator[str]:
    """Base64 of the secret, alone and anywhere within a longer text."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(secret).decode()
        yield whole
        yield whole.rstrip("=")
        for shift in range(3):
            # Which characters depend on the secret alone: one holds 6 bits, a byte 8.
            first, end = -(-8 * shift // 6), 8 * (shift + len(secret)) // 6
            part = encode(bytes(shift) + secret).decode()[first:end]
            if len(part) >= _SHORTEST_BASE64_CHARS:
                yield part


def check_no_secret(folder: Path, values: Iterable[str]) -> None:
    """For tests: no file of a run may have one of these in it, nor in its name.

    Compressed files (gzip, zip) are looked into as well.

    Raises:
        AssertionError: naming the files, but not what is in them.
    """
    secrets = Secrets(values)
    found = [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if secrets.in_bytes(os.fsencode(path.relative_to(folder)))
        or (path.is_file() and any(map(secrets.in_bytes, _contents(path.read_bytes()))))
    ]
    if found:
        raise AssertionError(f"secrets are in: {secrets.hide(', '.join(found))}")


def _contents(content: bytes) -> Iterator[bytes]:
    """What a file holds, and what is packed in it."""
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield from _contents(_unzipped(content))
    elif content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield from _contents(archive.read(name))


def _unzipped(content: bytes) -> bytes:
    """The content of a gzip file: of all its members, and also of one that was cut."""
    parts: list[bytes] = []
    while content.startswith(b"\x1f\x8b"):
        unpacker = zlib.decompressobj(wbits=31)
        parts.append(unpacker.decompress(content))
        content = unpacker.unused_data
    return b"".join(parts)
