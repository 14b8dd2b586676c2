"""What a run must not exceed: hosts, requests, rate and cost, before it and while it goes on.

A host is judged by its name as written in the base URL; what it resolves to is not looked at.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.errors import InputError, Refused
from loadgen.cost import Cost, CostRange
from loadgen.expected import Expected
from loadgen.profile.model import Guards
from reports.figures import usd

# Above this a person has to agree before anything is sent.
ASK_ABOVE_USD = 1.0
# The same where no price is known: requests to a REST API for a third of a dollar.
ASK_ABOVE_REQUESTS = 100_000

# AWS makes these names; the label in front is an API id, also with a VPC endpoint's id behind it.
_AWS_HOSTS = re.compile(
    r"[a-z0-9-]{1,63}\.execute-api\.[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}\.amazonaws\.com(\.cn)?"
    r"|[a-z0-9]{1,63}\.lambda-url\.[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}\.on\.aws"
)
_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
    r"(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
# A URL that two readers could take apart differently is not worth a guess.
_UNSAFE = re.compile(r"[^\x21-\x7e]|[\\^`{|}<>\"]")

_LOOPBACK_V4 = ipaddress.ip_network("127.0.0.0/8")


def check_hosts(base_url: str, guards: Guards) -> None:
    """Makes sure that load goes only where the profile or AWS's own names allow it.

    Allowed are loopback (127.0.0.0/8, ::1, localhost), `*.execute-api.<region>.amazonaws.com`,
    `*.lambda-url.<region>.on.aws` and `guards.hosts`: names, or `*.suffix` for what ends in it.

    Raises:
        Refused: the host is none of these.
        InputError: `base_url` is no HTTP URL, or `guards.hosts` has what is no host.
    """
    allowed = [_pattern(entry) for entry in guards.hosts]
    host = host_of(base_url)
    if is_loopback(host) or _AWS_HOSTS.fullmatch(host) or any(_fits(host, p) for p in allowed):
        return
    raise Refused(
        f"target {host} is neither loopback nor a name of API Gateway or a function URL, and "
        "guards.hosts does not have it",
        hint=f"to send load there, add it: `guards: {{hosts: [{_quoted(host)}]}}`",
    )


def host_of(url: str) -> str:
    """The host of `url`: lower case, without port, brackets and the dot of the root.

    Raises:
        InputError: `url` is no HTTP URL, or could be read in two ways.
    """
    if _UNSAFE.search(url):
        raise InputError(
            f"target URL {url!r}: must be ASCII without spaces, backslashes and quotes",
            hint="write a name of another alphabet in its xn-- form",
        )
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 # raises where it is no port
        host = parts.hostname or ""
    except ValueError as error:
        raise InputError(f"target URL {url!r}: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise InputError(f"target URL {url!r}: must begin with http://HOST or https://HOST")
    if "@" in parts.netloc:
        raise InputError(
            "target URL: must not have a user or password before the host",
            hint="auth is a section of the profile",
        )
    host = host.removesuffix(".")
    bracketed = "[" in parts.netloc
    if bracketed != (":" in host) or (_address(host) is None and not _NAME.fullmatch(host)):
        raise InputError(f"target URL {url!r}: '{host}' is no host name and no IP address")
    return host


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine by its name. `127.1` and numbers are not taken for it."""
    address = _address(host)
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return mapped in _LOOPBACK_V4 if mapped else address == ipaddress.IPv6Address(1)
    return address in _LOOPBACK_V4 if address else host == "localhost"


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        # A zone (`fe80::1%eth0`) means something on one machine only.
        return None if "%" in host else ipaddress.ip_address(host)
    except ValueError:
        return None


def _pattern(entry: str) -> str:
    """An entry of `guards.hosts` in the form of hosts, with `*.` in front where it has it."""
    text = entry.lower().removesuffix(".") if entry.isascii() else entry
    name = text.removeprefix("*.")
    if _address(name.strip("[]")) is not None and name == text:
        return text.strip("[]")
    if not _NAME.fullmatch(name):
        raise InputError(
            f"guards.hosts: '{entry}' is no host name",
            hint="write api.example.com, *.example.com or an IP address, without scheme and port",
        )
    return text


def _fits(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return _address(host) is None and host.endswith(pattern[1:])
    address = _address(pattern)
    return host == pattern if address is None else _address(host) == address


def _quoted(host: str) -> str:
    return f"'{host}'" if ":" in host else host


# -- how much -------------------------------------------------------------------------------------


def check_plan(expected: Expected, guards: Guards, estimate: CostRange) -> None:
    """Makes sure, before any request, that the plan stays within the guards.

    Closed models have no number of requests before they run; `Guard` watches those.

    Raises:
        Refused: the plan is beyond a guard; the message names it and its value.
    """
    if expected.peak_rps > guards.max_rate * (1 + 1e-9):
        raise Refused(
            f"the plan peaks at {expected.peak_rps:,.0f} requests/s, above "
            f"guards.max_rate {guards.max_rate:,.0f}",
            hint="raise guards.max_rate, or lower the phase",
        )
    if expected.requests is not None and expected.requests > guards.max_requests:
        raise Refused(
            f"the plan has about {expected.requests:,.0f} requests, above "
            f"guards.max_requests {guards.max_requests:,}",
            hint="raise guards.max_requests, or shorten the phases",
        )
    if estimate.most_usd is not None and estimate.most_usd > guards.max_cost_usd:
        raise Refused(
            f"the run may cost up to {usd(estimate.most_usd)}, above "
            f"guards.max_cost_usd {usd(guards.max_cost_usd)}",
            hint="raise guards.max_cost_usd, or shorten the phases",
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """What a run has done so far; `sent_by_second` counts by the second in which requests began."""

    sent: int
    sent_by_second: Sequence[int]
    cost: Cost


class Guard:
    """Watches a run by its totals, once a second, and says why it has to stop.

    With users (`closed`), injectors themselves begin no more than `max_requests`: a run that got
    there was stopped by it.
    """

    def __init__(self, guards: Guards, *, closed: bool = False) -> None:
        self._guards = guards
        self._most = guards.max_requests - closed

    def reason_to_stop(self, progress: Progress) -> str | None:
        """The guard that the run is beyond, in words; None as long as it is within all.

        The highest rate may be passed by 10 % and 5 standard deviations of a Poisson process
        before a run ends for it: the plan was checked, and chance is not the user's fault.
        """
        guards = self._guards
        if progress.sent > self._most:
            return (
                f"{progress.sent:,} requests sent: guards.max_requests is {guards.max_requests:,}"
            )
        spent = progress.cost.usd
        if spent is not None and spent > guards.max_cost_usd:
            return f"up to {usd(spent)} spent: guards.max_cost_usd is {usd(guards.max_cost_usd)}"
        peak = max(progress.sent_by_second, default=0)
        if peak > guards.max_rate * 1.1 + 5 * guards.max_rate**0.5:
            return f"{peak:,} requests in one second: guards.max_rate is {guards.max_rate:,.0f}"
        return None
