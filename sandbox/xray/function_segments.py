"""The two segments of an invocation: that of the Lambda service, and that of the function.

The second has a subsegment for each phase: Initialization or Restore, which lies before it, then
Invocation and Overhead ("Visualize Lambda function invocations using AWS X-Ray", 2026). What was
initialised before anybody called has none here, for it is no part of any call.
"""

from __future__ import annotations

import random

from sandbox.execution.contract import InvokeRequest, InvokeResult, VersionSpec
from sandbox.xray.sampling import Tracing
from sandbox.xray.store import Segment


def function_segments(
    tracing: Tracing,
    spec: VersionSpec,
    request: InvokeRequest,
    result: InvokeResult,
    span_s: tuple[float, float],
) -> tuple[Segment, Segment]:
    """The segments of an invocation that ran; `span_s` is from when to when, since the epoch.

    A model that does not hold its answer back takes its time on paper only: then the segments are
    as long as the report says.
    """
    report = result.report
    is_early = spec.initialization != "on-demand"
    start_ms = 0.0 if is_early else (report.init_ms or 0.0) + (report.restore_ms or 0.0)
    overhead_ms = max(0.0, result.overhead_ms)
    needed_s = (start_ms + report.duration_ms + overhead_ms) / 1000
    began_s = span_s[0]
    ended_s = max(span_s[1], began_s + needed_s)
    invoked_s = ended_s - (report.duration_ms + overhead_ms) / 1000
    done_s = ended_s - overhead_ms / 1000
    parts = []
    if start_ms:
        name = "Restore" if report.restore_ms else "Initialization"
        parts.append(_part(spec, name, invoked_s - start_ms / 1000, invoked_s))
    invocation = _part(spec, "Invocation", invoked_s, done_s)
    function: Segment = {
        "id": tracing.child_id,
        "trace_id": tracing.root,
        "parent_id": tracing.id,
        "name": spec.function_name,
        "start_time": invoked_s,
        "end_time": ended_s,
        "origin": "AWS::Lambda::Function",
        "resource_arn": spec.function_arn,
        "aws": {
            **_aws(spec, request),
            "cloudwatch_logs": [{"log_group": spec.log_group}],
        },
    }
    if result.function_error is not None:
        function["fault"] = invocation["fault"] = True
    function["subsegments"] = [*parts, invocation, _part(spec, "Overhead", done_s, ended_s)]
    service = _service(tracing, spec, request, (began_s, ended_s), status=200)
    return service, function


def refused_segment(
    tracing: Tracing, spec: VersionSpec, request: InvokeRequest, at_s: float
) -> Segment:
    """The segment of an invocation that was throttled."""
    segment = _service(tracing, spec, request, (at_s, at_s), status=429)
    return {**segment, "error": True, "throttle": True}


def _service(
    tracing: Tracing,
    spec: VersionSpec,
    request: InvokeRequest,
    span_s: tuple[float, float],
    *,
    status: int,
) -> Segment:
    segment: Segment = {
        "id": tracing.id,
        "trace_id": tracing.root,
        "name": spec.function_name,
        "start_time": span_s[0],
        "end_time": span_s[1],
        "origin": "AWS::Lambda",
        "resource_arn": spec.function_arn,
        "http": {"response": {"status": status}},
        "aws": {**_aws(spec, request), "request_id": request.request_id},
    }
    if tracing.parent is not None:
        segment["parent_id"] = tracing.parent
    return segment


def _part(spec: VersionSpec, name: str, start_s: float, end_s: float) -> Segment:
    return {
        "id": f"{random.getrandbits(64):016x}",
        "name": name,
        "start_time": start_s,
        "end_time": end_s,
        "aws": {"function_arn": spec.function_arn},
    }


def _aws(spec: VersionSpec, request: InvokeRequest) -> Segment:
    return {
        "account_id": spec.function_arn.split(":")[4],
        "function_arn": request.invoked_arn or spec.function_arn,
        "resource_names": [spec.function_name],
    }
