"""A lease from its journal to its release: what cannot be undone is said, with what to run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from core.aws.session import CHANGING_ATTEMPTS, UNDOING_ATTEMPTS, AwsSession, LocalAccess
from core.console import Console
from core.errors import ExitCode, Refused
from core.interrupt import StopRequest
from tests.conftest import MakeFunction
from tests.tuner.lease_rig import REGION, begin, open_journals, restored, state_of
from tuner.facts import RunFacts
from tuner.journal import state_folder
from tuner.leasing import leased
from tuner.restore_offer import warn_of_leftovers
from tuner.target import read_target
from tuner.time_limit import TimeLimit

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class Watched(AwsSession):
    """Gives clients that raise `trouble` at each call, once there is some."""

    def __init__(self, access: LocalAccess, profile: str | None = None) -> None:
        super().__init__(local=access)
        self.profile = profile
        self.trouble: Exception | None = None
        self.attempts: list[int] = []

    def control_lambda(self, **given: Any) -> LambdaClient:
        self.attempts.append(given["attempts"])
        client = super().control_lambda(**given)
        client.meta.events.register("before-call.lambda", self._meet)
        return client

    def _meet(self, **_: Any) -> None:
        if self.trouble is not None:
            raise self.trouble


def facts_of(client: LambdaClient, name: str, access: LocalAccess) -> RunFacts:
    facts = SimpleNamespace(
        run_id="0123456789ab",
        target=read_target(client, name, REGION),
        region=REGION,
        endpoint=access.endpoint_url,
        started=datetime(2026, 1, 1, tzinfo=UTC),
        left_behind=None,
        notes=[],
    )
    return cast("RunFacts", facts)


Borrow = Callable[..., Any]


@pytest.fixture
def borrow() -> Borrow:
    @contextmanager
    def of(session: AwsSession, facts: RunFacts) -> Iterator[Any]:
        limit = TimeLimit(StopRequest())
        with leased(session, facts, state_folder(), limit, Console(verbosity=-1)) as lease:
            yield lease

    return of


EXPIRED = ClientError(
    {"Error": {"Code": "ExpiredTokenException", "Message": "the token is expired"}}, "GetFunction"
)
GONE = EndpointConnectionError(endpoint_url="https://lambda.us-east-1.amazonaws.com")


@pytest.mark.parametrize(
    ("trouble", "profile", "what_to_run"),
    [
        pytest.param(EXPIRED, None, "with new credentials, run `tune restore`", id="expired"),
        pytest.param(
            EXPIRED, "my shop", "run `tune restore --profile 'my shop'`", id="with a profile"
        ),
        pytest.param(GONE, None, "when AWS allows it, run `tune restore`", id="network gone"),
    ],
)
def test_what_cannot_be_undone_keeps_its_journal_and_names_the_command(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    borrow: Borrow,
    trouble: Exception,
    profile: str | None,
    what_to_run: str,
) -> None:
    before = state_of(client, owned)
    facts, session = facts_of(client, owned, local_access), Watched(local_access, profile)

    with borrow(session, facts) as lease:
        lease.publish([128])
        (version,) = lease.made
        session.trouble = trouble

    assert facts.left_behind is not None
    assert f"; version {version} may be left; " in facts.left_behind
    assert facts.left_behind.endswith(what_to_run)
    (journal,) = open_journals()
    assert not journal.held
    warn_of_leftovers(facts.target, local_access.endpoint_url, Console())
    assert "`tune restore` deletes them" in capsys.readouterr().err.replace("\n", " ")
    assert restored(local_access, monkeypatch) == ExitCode.PASS
    assert state_of(client, owned) == before


def test_putting_back_is_tried_longer_than_publishing(
    client: LambdaClient, owned: str, local_access: LocalAccess, borrow: Borrow
) -> None:
    session = Watched(local_access)

    with borrow(session, facts_of(client, owned, local_access)):
        pass

    assert session.attempts == [CHANGING_ATTEMPTS, UNDOING_ATTEMPTS]
    assert CHANGING_ATTEMPTS < UNDOING_ATTEMPTS
    assert open_journals() == ()


def test_of_two_runs_that_are_started_at_once_not_both_go_on(
    client: LambdaClient, owned: str, local_access: LocalAccess, borrow: Borrow
) -> None:
    """Each has looked for the other before either had a journal."""
    before = state_of(client, owned)
    other = begin(client, owned, local_access)

    with (
        pytest.raises(Refused, match=f"is being tuned by run {other.beginning.run_id}"),
        borrow(Watched(local_access), facts_of(client, owned, local_access)),
    ):
        pass

    assert [journal.beginning.run_id for journal in open_journals()] == [other.beginning.run_id]
    assert state_of(client, owned) == before


def test_a_version_of_somebody_else_at_a_test_size_is_noted(
    client: LambdaClient, make_function: MakeFunction, local_access: LocalAccess, borrow: Borrow
) -> None:
    name = make_function(memory_mb=256)
    facts = facts_of(client, name, local_access)
    published: list[str] = []

    def publish_first(params: dict[str, Any], **_: Any) -> None:
        if not published:
            published.append("soon")
            published[0] = client.publish_version(FunctionName=name)["Version"]

    def tune() -> None:
        with borrow(AwsSession(local=local_access), facts) as lease:
            lease.client.meta.events.register("before-call.lambda.PublishVersion", publish_first)
            lease.publish([512])

    with pytest.raises(Refused, match="which this run did not make"):
        tune()

    assert facts.left_behind is None
    (note,) = facts.notes
    assert note.startswith(f"version {published[0]} was published by somebody else while the run")
    assert list(state_of(client, name)["versions"]) == published
