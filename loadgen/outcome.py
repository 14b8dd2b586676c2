"""What became of a request: outcome, cause and evidence, packed into one small number.

Every request has exactly one `Kind`. A 429 is neither a success nor a failure of the API: it is
throttled, with a cause as far as the evidence goes. Evidence grows: what the wire shows, what the
configuration implies, what the access log says, what the metrics count.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Outcome(IntEnum):
    """The class of a response, or of its absence."""

    OK = 0
    THROTTLED = 1
    CLIENT_ERROR = 2
    SERVER_ERROR = 3
    TIMEOUT = 4
    CONNECTION_ERROR = 5
    CHECK_FAILED = 6


class Cause(IntEnum):
    """Who is to blame, where that is known."""

    NONE = 0
    THROTTLE = 1  # some throttle of API Gateway: account, stage, method or usage plan
    ACCOUNT = 2
    STAGE = 3
    METHOD = 4
    USAGE_PLAN = 5
    USAGE_PLAN_METHOD = 6
    QUOTA = 7
    LAMBDA_CONCURRENCY = 8
    AUTHORIZER = 9
    WAF = 10
    APPLICATION = 11
    UNKNOWN = 12
    # Of connection errors and timeouts: what happened on the wire.
    DNS = 20
    REFUSED = 21
    CONNECT_TIMEOUT = 22
    TLS = 23
    RESET = 24
    CLOSED_EARLY = 25  # before the first byte, or in the middle of a response
    MALFORMED = 26  # not HTTP
    RESPONSE_TIMEOUT = 27
    NO_CONNECTION = 28  # http.max_connections were in use, or no port or descriptor was left
    INTEGRATION_TIMEOUT = 30  # of a server error: 504 of the gateway


# A throttle of API Gateway: THROTTLE where nothing names it, and its named forms.
GATEWAY_THROTTLES = frozenset(
    {
        Cause.THROTTLE,
        Cause.ACCOUNT,
        Cause.STAGE,
        Cause.METHOD,
        Cause.USAGE_PLAN,
        Cause.USAGE_PLAN_METHOD,
    }
)


class Evidence(IntEnum):
    """How the cause is known; later ones outrank earlier ones."""

    NONE = 0
    WIRE = 1
    RULE = 2  # a rule of the profile
    CONFIGURATION = 3
    ACCESS_LOG = 4
    METRICS = 5


class Kind(NamedTuple):
    """Outcome, cause and evidence of one request."""

    outcome: Outcome
    cause: Cause = Cause.NONE
    evidence: Evidence = Evidence.NONE

    @property
    def code(self) -> int:
        """The kind in 16 bits, as records and frames have it; 0 is ok."""
        return self.outcome << 12 | self.cause << 4 | self.evidence

    @classmethod
    def of(cls, code: int) -> Kind:
        """The kind that has `code`.

        Raises:
            ValueError: no kind has it.
        """
        return cls(Outcome(code >> 12), Cause(code >> 4 & 0xFF), Evidence(code & 0xF))


OK = Kind(Outcome.OK)
