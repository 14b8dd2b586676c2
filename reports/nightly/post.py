"""One POST to an address that is a secret: it is in no message, no log and no error.

Redirects are followed on the same host only: elsewhere, the body would go to somebody else.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import httpx

# Long enough for a slow service, short enough at the end of a night.
TIMEOUT_S = 10.0
_MOST_REDIRECTS = 3
# Those that keep method and body.
_KEPT = (307, 308)
_HEADERS = {"Content-Type": "application/json", "User-Agent": "lambda-perf-toolkit"}
# The services' own words are short (`no_service`, `invalid_payload`); anything longer could have
# the address in it.
_WORD = re.compile(r"[a-z]{2,20}(_[a-z]{2,20}){1,3}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, the one word that came with it where it is one, and when to try again."""

    status: int
    word: str = ""
    retry_after_s: float | None = None


class NotPosted(Exception):
    """When there is no answer; `again`: nothing had been sent, so that it may be tried again."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


class Post(Protocol):
    """Posts a body."""

    def __call__(self, url: str, body: bytes) -> Answer:
        """The answer.

        Raises:
            NotPosted: there was none.
        """


def http_post(url: str, body: bytes, *, timeout_s: float = TIMEOUT_S) -> Answer:
    """The answer to a POST of JSON.

    Raises:
        NotPosted: the address is none, or there was no answer.
    """
    import httpx

    with _silent():
        try:
            with httpx.Client(timeout=timeout_s, follow_redirects=False) as client:
                return _posted(client, httpx.URL(url), body)
        except httpx.InvalidURL:
            raise NotPosted("its address is no URL", again=False) from None
        except httpx.UnsupportedProtocol:
            raise NotPosted("its address is neither https nor http", again=False) from None
        except httpx.HTTPError as error:
            reason, again = _reason(error)
            raise NotPosted(reason, again=again) from None
        except (OSError, ValueError, RuntimeError, ImportError) as error:
            # Of settings around it: proxies, certificates, names of hosts.
            raise NotPosted(f"there was a {type(error).__name__}", again=False) from None


def _posted(client: httpx.Client, url: httpx.URL, body: bytes) -> Answer:
    for _ in range(_MOST_REDIRECTS + 1):
        with client.stream("POST", url, content=body, headers=_HEADERS) as response:
            if not response.has_redirect_location:
                return _answer(response)
            target = url.join(response.headers["location"])
        if response.status_code not in _KEPT:
            raise NotPosted("it was redirected to something that is no POST", again=False)
        if _origin(target) != _origin(url):
            raise NotPosted("it was redirected to another host", again=False)
        url = target
    raise NotPosted("it was redirected too often", again=False)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _answer(response: httpx.Response) -> Answer:
    first = next(response.iter_bytes(), b"")[:100]
    found = _WORD.fullmatch(first.decode("ascii", errors="replace").strip())
    after = response.headers.get("retry-after", "")
    seconds = float(after) if after.isascii() and after.isdecimal() else None
    return Answer(response.status_code, found[0] if found else "", seconds)


def _reason(error: httpx.HTTPError) -> tuple[str, bool]:
    """In words of our own: those of the libraries may have the address in them."""
    import httpx

    if isinstance(error, httpx.ConnectTimeout):
        return "no connection in time", True
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time", False
    if isinstance(error, httpx.ConnectError | httpx.ProxyError):
        return "no connection", True
    return "the connection ended", False


@contextmanager
def _silent() -> Iterator[None]:
    """httpx logs each address that it asks."""
    logger = logging.getLogger("httpx")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before
