"""What the errors of Invoke mean, and what to do about them, by AWS's names for them.

Names: Invoke API reference and botocore 1.44. AWS's own messages say what happened; what is here
says where to look. A name that is not here has a message that says all.
"""

from __future__ import annotations

from core.errors import NotRun

_MOUNT = "the function's file system could not be mounted: check mount targets and security groups"
_KEY = "see the KMS key that encrypts the function's environment variables"
_NETWORK = "see the subnets and security groups of the function's VpcConfig"
_TOO_LARGE = "a synchronous call takes at most 6 MB"
_PACKAGE = "see the function's code and runtime: it cannot be started as it is"
_RESTORE = "see the function's log, and the hooks that run before a snapshot and after a restore"

_REMEDIES = {
    "AccessDeniedException": "allow lambda:InvokeFunction on the function's ARN followed by :*",
    "CodeArtifactUserDeletedException": _PACKAGE,
    "CodeArtifactUserFailedException": _PACKAGE,
    "DurableExecutionAlreadyStartedException": "durable functions cannot be tuned",
    "EC2AccessDeniedException": "the function's role may not create network interfaces: "
    "AWSLambdaVPCAccessExecutionRole allows it",
    "EC2ThrottledException": "EC2 throttles Lambda while it makes a network interface: try later",
    "EC2UnexpectedException": _NETWORK,
    "EFSIOException": "the function's file system does not answer: see its throughput and state",
    "EFSMountConnectivityException": _MOUNT,
    "EFSMountFailureException": _MOUNT,
    "EFSMountTimeoutException": _MOUNT,
    "ENILimitReachedException": "the VPC has as many network interfaces as its quota allows",
    "ENINotReadyException": "the function's network interface is still being made: try later",
    "InvalidRequestContentException": "the payload has to be JSON",
    "InvalidRuntimeException": _PACKAGE,
    "InvalidSecurityGroupIDException": _NETWORK,
    "InvalidSubnetIDException": _NETWORK,
    "InvalidZipFileException": _PACKAGE,
    "KMSAccessDeniedException": "the function's role needs kms:Decrypt; " + _KEY,
    "KMSDisabledException": _KEY,
    "KMSInvalidStateException": _KEY,
    "KMSNotFoundException": _KEY,
    "RecursiveInvocationException": "Lambda broke a loop: what the function writes invokes it "
    "again; take a payload that does not lead back to it",
    "RequestTooLargeException": _TOO_LARGE,
    "ResourceConflictException": "the function is not ready to be invoked: see its state",
    "ResourceNotFoundException": "the function or its version was deleted meanwhile",
    "ResourceNotReadyException": "the function is not ready to be invoked: see its state",
    "RuntimeAliasDeletedException": _PACKAGE,
    "RuntimeVersionDeletedException": _PACKAGE,
    "S3FilesMountConnectivityException": _MOUNT,
    "S3FilesMountFailureException": _MOUNT,
    "S3FilesMountTimeoutException": _MOUNT,
    "SerializedRequestEntityTooLargeException": _TOO_LARGE,
    "ServiceQuotaExceededException": "see the quotas of Lambda in this account and region",
    "SnapStartException": _RESTORE,
    "SnapStartNotReadyException": "the snapshot is still being made: try later",
    "SnapStartRegenerationFailureException": _RESTORE,
    "SnapStartTimeoutException": _RESTORE,
    "SubnetIPAddressLimitReachedException": "the function's subnets have no free address",
}

# ThrottleReason of botocore 1.44: what is used up, and what to do.
_THROTTLES = {
    "ConcurrentInvocationLimitExceeded": (
        "the account's concurrency is used up",
        "lower --parallel, come back when there is less traffic, or ask for a larger quota",
    ),
    "ReservedFunctionConcurrentInvocationLimitExceeded": (
        "the function's reserved concurrency is used up",
        "lower --parallel, come back when the function has less traffic, or reserve more for it",
    ),
    "FunctionInvocationRateLimitExceeded": (
        "the function gets more requests or new environments than Lambda lets it have at once",
        "come back when its traffic does not rise",
    ),
    "ReservedFunctionInvocationRateLimitExceeded": (
        "the function gets more than ten requests a second for each of its reserved executions",
        "come back when the function has less traffic, or reserve more for it",
    ),
    "CallerRateLimitExceeded": (
        "this account calls the Lambda API more often than it may",
        "come back when other tools and deployments call it less",
    ),
    "ConcurrentSnapshotCreateLimitExceeded": (
        "the account makes as many SnapStart snapshots at once as it may",
        "come back when other publishings are over",
    ),
}


def remedy(code: str | None) -> str | None:
    """What to do about an error of Invoke; None where AWS's message says it all."""
    return _REMEDIES.get(code or "")


def why_not_run(refusal: NotRun) -> tuple[str, str | None]:
    """Why Lambda did not run a call, in words, and what to do about it."""
    known = _THROTTLES.get(refusal.reason or "")
    if known is not None:
        meaning, what_to_do = known
        return f"{meaning} ({refusal.reason})", what_to_do
    return str(refusal), remedy(refusal.code)
