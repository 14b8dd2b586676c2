"""How the function is used: its share of cold calls and its requests a month, given or read."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from core.aws.session import AwsSession
from core.errors import InputError, Interrupted
from core.interrupt import StopRequest
from tuner.target import Target
from tuner.versions import list_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from tuner.cold import ColdShare
    from tuner.monthly import Auto

GIVEN = "given"


@dataclass(frozen=True, slots=True)
class Usage:
    """What is known of it, each with where that is from; None where nobody asked."""

    cold_share: float | None = None
    cold_source: str = GIVEN
    requests_per_month: float | None = None
    requests_source: str = GIVEN


@dataclass(frozen=True, slots=True)
class UsageAsked:
    """What the command line says of it: figures, or `auto` where they are to be read from AWS."""

    cold_share: ColdShare | None = None
    requests: float | Auto | None = None

    @property
    def reads_aws(self) -> bool:
        """Whether something has to be read."""
        return "auto" in (self.cold_share, self.requests)


def check_usage(cold_share: str | None, requests: str | None) -> UsageAsked:
    """The two options, parsed.

    Raises:
        InputError: naming the option, its value and what was expected.
    """
    # Not at the top: what months cost takes longer to import than most runs have a use for.
    from tuner.cold import parse_cold_share

    return UsageAsked(
        cold_share=None if cold_share is None else parse_cold_share(cold_share),
        requests=None if requests is None else _requests(requests),
    )


def given_usage(asked: UsageAsked) -> Usage:
    """The usage where AWS is not asked.

    Raises:
        InputError: when something would have to be read.
    """
    for option, value in (
        ("--cold-share", asked.cold_share),
        ("--requests-per-month", asked.requests),
    ):
        if value == "auto":
            raise InputError(f"{option}: expected a number here, AWS is not asked (got 'auto')")
    return Usage(cold_share=_figure(asked.cold_share), requests_per_month=_figure(asked.requests))


def read_usage(
    asked: UsageAsked,
    session: AwsSession,
    control: LambdaClient,
    target: Target,
    now: datetime,
    stop: StopRequest,
) -> Usage:
    """The usage, with what is `auto` read from metrics and logs of the last days.

    Raises:
        AwsError: when it cannot be read, with how to give it instead.
        Interrupted: after a stop; a query of the logs, which is paid by what it scans, is ended.
    """
    try:
        found = _read(asked, session, control, target, now, stop)
        _check_wanted(stop)
    except Interrupted as error:
        raise Interrupted(str(error), code=stop.exit_code) from error
    return found


def _check_wanted(stop: StopRequest) -> None:
    if stop.requested:
        raise Interrupted("stopped before anything was changed")


def _read(
    asked: UsageAsked,
    session: AwsSession,
    control: LambdaClient,
    target: Target,
    now: datetime,
    stop: StopRequest,
) -> Usage:
    from core.aws.function_traffic import cold_share, requests_per_month

    share, share_source = _figure(asked.cold_share), GIVEN
    requests, requests_source = _figure(asked.requests), GIVEN
    if asked.requests == "auto":
        with closing(session.cloudwatch()) as cloudwatch:
            traffic = requests_per_month(cloudwatch, target.name, now=now)
        requests, requests_source = traffic.requests_per_month, traffic.source
    if asked.cold_share == "auto":
        # Versions of earlier tunings are gone by now, and their cold starts with them.
        versions = {"$LATEST", *list_versions(control, target.arn)}
        _check_wanted(stop)
        with closing(session.logs()) as logs:
            starts = cold_share(
                logs,
                target.name,
                now=now,
                group=target.log_group,
                versions=versions,
                pause=stop.wait,
            )
        share, share_source = starts.cold_share, starts.source
    return Usage(share, share_source, requests, requests_source)


def _requests(text: str) -> float | Auto:
    from tuner.monthly import parse_requests

    return parse_requests(text)


def _figure(value: float | str | None) -> float | None:
    return value if isinstance(value, float) else None
