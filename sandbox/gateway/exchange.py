"""One request at the data plane: what is known of it, and what becomes of it."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from sandbox.counted_ids import BASE64_DIGITS, counted_ids
from sandbox.gateway.outcome import Failed
from sandbox.gateway.snapshot import ApiKey, Route, Stage
from sandbox.http import Request
from sandbox.lambda_api.names import Home

if TYPE_CHECKING:
    from sandbox.gateway.limits import Refusal
    from sandbox.xray.sampling import Tracing

# Extended request ids look like AWS's: 11 characters and an equals sign.
_EXTENDED_IDS = counted_ids(secrets.token_urlsafe(6)[:5], BASE64_DIGITS, 6, "=")

SOURCE_IP = "127.0.0.1"


def _ignore(failed: Failed) -> None:
    """For an exchange that nobody waits for."""


class Exchange:
    """A request with its stage, its route and all that a log line may say of it in the end.

    Made for each request, so what most of them never have is a class attribute until it is set.
    Times: `arrived_s` is monotonic, `arrived_wall_s` since the epoch.
    """

    route: Route | None = None
    path_parameters: Mapping[str, str] = {}
    api_key: ApiKey | None = None
    # Who calls, where a signature or an authorizer said so.
    principal_id: str | None = None
    caller_arn: str | None = None
    access_key: str | None = None
    authorizer_context: Mapping[str, Any] | None = None
    authorizer_latency_ms: int | None = None
    authorizer_status: int | None = None
    authorizer_error: str | None = None
    # What became of a signature, and of what a policy says of its caller.
    authenticate_latency_ms: int | None = None
    authenticate_status: int | None = None
    authenticate_error: str | None = None
    authorize_latency_ms: int | None = None
    authorize_status: int | None = None
    authorize_error: str | None = None
    usage_identifier_key: str | None = None
    refusal: Refusal | None = None
    # The integration: its latency, what the service answered, what the function answered.
    integration_ms: float | None = None
    integration_status: int | None = None
    function_status: int | None = None
    integration_error: str | None = None
    integration_request_id: str | None = None
    overhead_in_integration_ms: float = 0.0
    cache_hit: bool | None = None
    # The integration took too long, and the client has been answered.
    has_expired: bool = False
    # Answers a request whose integration takes too long; the data plane says how.
    expire: Callable[[Failed], None] = staticmethod(_ignore)
    # The gateway response, where the gateway answers itself.
    response_type: str | None = None
    error_message: str | None = None
    # The answer.
    status: int = 0
    response_bytes: int = 0
    latency_ms: float = 0.0
    waited_ms: float = 0.0  # for an authorizer, or because a fault said so
    trace_id_made: str | None = None
    tracing: Tracing | None = None  # where the request is sampled
    integration_began_s: float | None = None

    def __init__(
        self,
        request: Request,
        stage: Stage,
        home: Home,
        path: str,
        arrived_s: float,
        arrived_wall_s: float,
    ) -> None:
        self.request = request
        self.stage = stage
        self.home = home
        self.path = path  # after the stage, percent-encoded
        self.arrived_s = arrived_s
        self.arrived_wall_s = arrived_wall_s
        self.extended_id = next(_EXTENDED_IDS)

    @property
    def stage_path(self) -> str:
        """The path with the stage in it, as `$context.path` has it."""
        return self.path if self.stage.name == "$default" else f"/{self.stage.name}{self.path}"

    @property
    def trace_id(self) -> str:
        """The X-Ray trace header: the client's, or a new one that is not sampled."""
        if self.trace_id_made is None:
            given = self.request.text_header(b"x-amzn-trace-id")
            root = f"Root=1-{int(self.arrived_wall_s):08x}-{random.getrandbits(96):024x}"
            self.trace_id_made = given or root
        return self.trace_id_made

    @property
    def query_pairs(self) -> list[tuple[str, str]]:
        """The query string, decoded, in order."""
        query = self.request.query
        return parse_qsl(query, keep_blank_values=True) if query else []

    @property
    def method_arn(self) -> str:
        """The ARN that policies allow or deny: api/stage/METHOD/path."""
        stage, path = self.stage, self.path.strip("/")
        return (
            f"arn:aws:execute-api:{self.home.region}:{self.home.account_id}:{stage.api_id}/"
            f"{stage.name}/{self.request.method}/{path}"
        )
