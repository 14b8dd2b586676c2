"""Faults on request: what can go wrong on AWS, for as long as somebody wants it."""

from sandbox.faults.fault_set import Fault, FaultSet
from sandbox.faults.kinds import (
    FaultSpec,
    LambdaErrorFault,
    LambdaThrottleFault,
    LateLogsFault,
    LateMetricsFault,
    LatencyFault,
    ResetFault,
    SlowBodyFault,
    StallFault,
    StatusFault,
    ThrottleControlPlaneFault,
    WafFault,
    parse_fault,
)

__all__ = [
    "Fault",
    "FaultSet",
    "FaultSpec",
    "LambdaErrorFault",
    "LambdaThrottleFault",
    "LateLogsFault",
    "LateMetricsFault",
    "LatencyFault",
    "ResetFault",
    "SlowBodyFault",
    "StallFault",
    "StatusFault",
    "ThrottleControlPlaneFault",
    "WafFault",
    "parse_fault",
]
