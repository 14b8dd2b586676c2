"""The cache of a REST stage: answers to GET requests, kept for a while.

Keys are the path and the parameters that the method declares as cache keys, nothing else: two
requests that differ in another parameter get the same answer, as on AWS. A client's
`Cache-Control: max-age=0` bypasses the cache and renews the entry; the sandbox lets every client
do so, where AWS can be told to ask for a permission.
"""

from __future__ import annotations

import json
from collections import OrderedDict

from sandbox.gateway.exchange import Exchange
from sandbox.gateway.outcome import Answered
from sandbox.gateway.snapshot import CachePolicy

# An entry above this is not cached (API Gateway quotas, "Cached response size").
MAX_ENTRY_BYTES = 1_048_576
# The smallest cache cluster has 0.5 GB; the sandbox keeps no more in memory whatever its size.
MAX_BYTES = 64 * 1024 * 1024

# What an entry takes beside its bytes, about: objects, a dictionary's slot, small texts.
_ENTRY_BYTES = 600

_Key = tuple[str | None, ...]


class StageCache:
    """The cached answers of one stage; the oldest go when it is full."""

    def __init__(self) -> None:
        self._entries: OrderedDict[_Key, tuple[float, Answered]] = OrderedDict()
        self._bytes = 0

    def find(self, exchange: Exchange, policy: CachePolicy, now_s: float) -> Answered | None:
        """The cached answer to a request, unless it is too old or the client wants a new one."""
        control = exchange.request.text_header(b"cache-control") or ""
        if "max-age=0" in control:
            return None
        entry = self._entries.get(_key(exchange, policy))
        if entry is None or entry[0] <= now_s:
            return None
        return entry[1]

    def keep(self, exchange: Exchange, policy: CachePolicy, answer: Answered, now_s: float) -> None:
        """Keeps an answer for the policy's time."""
        if len(answer.body) > MAX_ENTRY_BYTES or policy.ttl_s <= 0:
            return
        key = _key(exchange, policy)
        old = self._entries.pop(key, None)
        self._bytes += _size(key, answer) - (_size(key, old[1]) if old else 0)
        self._entries[key] = (now_s + policy.ttl_s, answer)
        while self._bytes > MAX_BYTES:
            oldest, (_, dropped) = self._entries.popitem(last=False)
            self._bytes -= _size(oldest, dropped)

    def flush(self) -> None:
        """Forgets everything (FlushStageCache)."""
        self._entries.clear()
        self._bytes = 0


def _key(exchange: Exchange, policy: CachePolicy) -> _Key:
    return exchange.path, *(_parameter(exchange, name) for name in policy.key_parameters)


def _parameter(exchange: Exchange, name: str) -> str | None:
    """The value of `method.request.LOCATION.NAME`; a name may have dots in it."""
    location, _, name = name.removeprefix("method.request.").partition(".")
    match location:
        case "path":
            return exchange.path_parameters.get(name)
        case "querystring":
            return dict(exchange.query_pairs).get(name)
        case "multivaluequerystring":
            values = [value for key, value in exchange.query_pairs if key == name]
            return json.dumps(values)
    return exchange.request.text_header(name.lower().encode("latin-1", "replace"))


def _size(key: _Key, answer: Answered) -> int:
    """The memory of an entry, about."""
    headers = sum(len(name) + len(value) for name, value in answer.headers)
    return _ENTRY_BYTES + len(answer.body) + headers + sum(len(part or "") for part in key)
