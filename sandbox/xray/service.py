"""X-Ray behind the front: traces are listed and read; only the sandbox's services send them.

A filter expression may ask for one service, which is what reading the traces of a stage needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.api_errors import ApiError
from sandbox.lambda_api.names import Home
from sandbox.monitoring.tokens import make_token, read_token
from sandbox.rest_json.service import Operation, Output, Parameters, RestJsonService
from sandbox.rest_json.validation import Validator
from sandbox.xray.store import Segment, Trace, TraceStore

# "Specify up to 5 trace IDs" and at most 24 hours (X-Ray developer guide, 2026).
MAX_IDS = 5
MAX_RANGE_S = 24 * 3600
_PAGE = 100

_NAME = re.compile(r'service\(\s*"([^"]+)"\s*\)')
_ID = re.compile(r'service\(\s*id\(\s*name:\s*"([^"]+)"(?:\s*,\s*type:\s*"([^"]+)")?\s*\)\s*\)')


class XRayService(RestJsonService):
    """Answers signed requests to X-Ray."""

    def __init__(self, home: Home, store: TraceStore) -> None:
        self._home = home
        self._store = store
        operations: Mapping[str, Operation] = {
            "GetTraceSummaries": self.summaries,
            "BatchGetTraces": self.traces,
        }
        super().__init__("xray", "X-Ray", home.region, operations, Validator({}, frozenset()))

    def invalid(self, violations: list[str]) -> ApiError:
        """X-Ray's own exception."""
        return _invalid(super().invalid(violations).message)

    def summaries(self, parameters: Parameters) -> Output:
        """One page of the traces that began in a time, oldest first."""
        start_s, end_s = _time(parameters, "StartTime"), _time(parameters, "EndTime")
        if not 0 < end_s - start_s <= MAX_RANGE_S:
            raise _invalid("The time range must be above 0 and at most 24 hours")
        wanted = _filter(parameters.get("FilterExpression") or "")
        try:
            place = read_token(parameters)
            after_s, after_id = place or (0.0, "")
        except ValueError as error:
            raise _invalid("Invalid NextToken") from error
        found = [it for it in self._store.between(start_s, end_s) if _meets(it, *wanted)]
        found.sort(key=lambda trace: (trace.start_s, trace.id))
        left = [it for it in found if (it.start_s, it.id) > (after_s, after_id)]
        shown = left[:_PAGE]
        output: Output = {
            "TraceSummaries": [self._summary(trace) for trace in shown],
            "ApproximateTime": datetime.fromtimestamp(start_s, UTC),
            "TracesProcessedCount": len(found),
        }
        if len(left) > _PAGE:
            output["NextToken"] = make_token(parameters, [shown[-1].start_s, shown[-1].id])
        return output

    def traces(self, parameters: Parameters) -> Output:
        """Whole traces; ids that are not known have no part in the answer."""
        ids = parameters["TraceIds"]
        if len(ids) > MAX_IDS:
            raise _invalid(f"At most {MAX_IDS} trace ids can be asked for (got {len(ids)})")
        found = [trace for trace in map(self._store.get, ids) if trace is not None]
        return {
            "Traces": [
                {
                    "Id": trace.id,
                    "Duration": trace.end_s - trace.start_s,
                    "LimitExceeded": trace.limit_exceeded,
                    "Segments": trace.documents(),
                }
                for trace in found
            ],
            "UnprocessedTraceIds": [],
        }

    def _summary(self, trace: Trace) -> Output:
        root = trace.root
        services = {(it["name"], it["origin"]): self._service(it) for it in trace.segments}
        return {
            "Id": trace.id,
            "StartTime": datetime.fromtimestamp(trace.start_s, UTC),
            "Duration": trace.end_s - trace.start_s,
            "ResponseTime": root["end_time"] - root["start_time"],
            "HasFault": any("fault" in it for it in trace.segments),
            "HasError": any("error" in it for it in trace.segments),
            "HasThrottle": any("throttle" in it for it in trace.segments),
            "IsPartial": trace.is_partial,
            "Http": _http(root),
            "ServiceIds": list(services.values()),
            "EntryPoint": self._service(root),
            "Revision": len(trace.segments),
        }

    def _service(self, segment: Segment) -> Output:
        name = segment["name"]
        account = self._home.account_id
        return {"Name": name, "Names": [name], "AccountId": account, "Type": segment["origin"]}


def _http(segment: Segment) -> Output:
    request = segment["http"].get("request", {}) if "http" in segment else {}
    response = segment["http"].get("response", {}) if "http" in segment else {}
    names = {
        "HttpURL": request.get("url"),
        "HttpStatus": response.get("status"),
        "HttpMethod": request.get("method"),
        "UserAgent": request.get("user_agent"),
        "ClientIp": request.get("client_ip"),
    }
    return {name: value for name, value in names.items() if value is not None}


def _filter(expression: str) -> tuple[str | None, str | None]:
    """The name and the type of the service that is asked for; None for any."""
    text = expression.strip()
    if not text:
        return None, None
    by_name = _NAME.fullmatch(text)
    if by_name is not None:
        return by_name[1], None
    by_id = _ID.fullmatch(text)
    if by_id is None:
        raise _invalid(
            f'Invalid filter expression {text}: the sandbox reads service("NAME") and '
            'service(id(name: "NAME", type: "TYPE"))'
        )
    return by_id[1], by_id[2]


def _meets(trace: Trace, name: str | None, kind: str | None) -> bool:
    return any(
        name in (None, segment["name"]) and kind in (None, segment["origin"])
        for segment in trace.segments
    )


def _time(parameters: Parameters, name: str) -> float:
    value: Any = parameters[name]
    if isinstance(value, datetime):
        return value.timestamp()
    try:
        return float(value)
    except ValueError as error:
        raise _invalid(f"{name}: expected seconds since the epoch (got {value})") from error


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidRequestException", message)
