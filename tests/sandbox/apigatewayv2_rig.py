"""The API of HTTP APIs on a free port of this machine, and real clients of it."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from rpc_rig import REGION, serve

from sandbox.apigatewayv2_api.context import HttpApiContext
from sandbox.apigatewayv2_api.service import HttpApiService
from sandbox.apigatewayv2_api.state import HttpState
from sandbox.lambda_api.names import Home

ACCOUNT = "000000000000"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders"


def invocation(arn: str) -> str:
    """A function as API Gateway's own ARNs name it."""
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"


class ServedApis:
    """Serves while its `with` block runs.

    `changes` counts the calls of `on_change`, `resets` has those of the authorizers' caches, and
    the clock goes on by a second with each look at it.
    """

    def __init__(self) -> None:
        self.state = HttpState()
        self.changes = 0
        self.resets: list[tuple[str, str]] = []
        self.environment = {
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
        }
        self._time = datetime(2026, 10, 5, tzinfo=UTC)
        self._server = ExitStack()

    def __enter__(self) -> ServedApis:
        services = {"apigateway": HttpApiService(self.context())}
        port = self._server.enter_context(serve(services))
        self.endpoint_url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def context(self) -> HttpApiContext:
        """What the operations work with."""
        return HttpApiContext(
            home=Home(ACCOUNT, REGION),
            state=self.state,
            on_change=self._count,
            reset_authorizers=lambda *stage: self.resets.append(stage),
            now=self._tick,
        )

    def _count(self) -> None:
        self.changes += 1

    def _tick(self) -> datetime:
        self._time += timedelta(seconds=1)
        return self._time
