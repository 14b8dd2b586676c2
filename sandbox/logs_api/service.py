"""CloudWatch Logs behind the front."""

from __future__ import annotations

from sandbox.lambda_api.names import Home
from sandbox.logs_api.context import LogsContext
from sandbox.logs_api.groups import GroupOperations
from sandbox.logs_api.ingestion import IngestionOperations
from sandbox.logs_api.queries import QueryOperations
from sandbox.logs_api.reading import ReadingOperations
from sandbox.logs_api.streams import StreamOperations
from sandbox.rest_json.validation import Validator
from sandbox.rpc.service import RpcService
from sandbox.telemetry.log_store import LogStore


class LogsService(RpcService):
    """Answers signed requests to CloudWatch Logs from a store of log events."""

    violation_code = "InvalidParameterException"

    def __init__(self, home: Home, store: LogStore) -> None:
        context = LogsContext(home, store)
        self._queries = QueryOperations(context)
        operations = {
            **GroupOperations(context).operations(),
            **StreamOperations(context).operations(),
            **IngestionOperations(context).operations(),
            **ReadingOperations(context).operations(),
            **self._queries.operations(),
        }
        validator = Validator({}, frozenset())
        super().__init__("logs", "CloudWatch Logs", home.region, operations, validator)

    async def close(self) -> None:
        """Ends the queries that still run; the store is its owner's to close."""
        await self._queries.close()
