"""The lease of a run, from its journal to its release; what is left behind is said."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.aws.session import CHANGING_ATTEMPTS, UNDOING_ATTEMPTS, AwsSession
from core.console import Console
from core.errors import CredentialsError, ToolError
from core.text import one_line
from tuner.facts import RunFacts
from tuner.journal import Beginning, Journal
from tuner.lease import Lease
from tuner.open_journals import check_no_run_works
from tuner.time_limit import TimeLimit
from tuner.versions import list_versions, met_note, versions_of_run


@contextmanager
def leased(
    session: AwsSession, facts: RunFacts, journals: Path, limit: TimeLimit, console: Console
) -> Iterator[Lease]:
    """The lease on the function; whatever happens inside, it is released and the journal closed.

    Where not all can be undone, `facts.left_behind` says what is left, and the journal stays for
    `tune restore`.
    """
    client = session.control_lambda(attempts=CHANGING_ATTEMPTS)
    patient = session.control_lambda(attempts=UNDOING_ATTEMPTS, on_delay=console.warn)
    target = facts.target
    beginning = _beginning(facts, tuple(list_versions(client, target.arn)))
    journal = Journal(journals, beginning)
    lease = Lease(
        client,
        target.borrowed,
        beginning,
        journal,
        time.sleep,
        limit.is_over,
        patient,
        target.copy,
    )
    try:
        # Once more, now that others can see this run: two may have been started at once.
        check_no_run_works(
            journals, beginning.function_arn, beginning.endpoint_url, apart_from=beginning.run_id
        )
        yield lease
    finally:
        facts.left_behind = _release(lease, facts, session.profile)
        if facts.left_behind is None:
            journal.close()
        else:
            journal.leave()


def _beginning(facts: RunFacts, existing_versions: tuple[str, ...]) -> Beginning:
    target = facts.target.borrowed
    return Beginning(
        run_id=facts.run_id,
        function_arn=target.arn,
        region=facts.region,
        endpoint_url=facts.endpoint,
        memory_mb=target.memory_mb,
        description=target.description,
        code_sha256=target.code_sha256,
        existing_versions=existing_versions,
        pid=os.getpid(),
        started_utc=facts.started.isoformat(timespec="seconds"),
    )


def _release(lease: Lease, facts: RunFacts, profile: str | None) -> str | None:
    """Undoes what the run changed; what is left and why, where that does not work."""
    try:
        met = lease.release()
    except ToolError as error:
        return one_line(
            f"not all that the run changed on {facts.target.name} could be undone: {error}"
            f"{_versions_left(lease, facts, error)}; {_what_to_run(profile, error)}"
        )
    if met:
        facts.notes.append(met_note(met))
    return one_line("; ".join(lease.doubts)) if lease.doubts else None


def _what_to_run(profile: str | None, error: ToolError) -> str:
    """The command that undoes it on this machine, where the journal is."""
    option = "" if profile is None else f" --profile {shlex.quote(profile)}"
    command = f"tune restore{option}"
    if isinstance(error, CredentialsError):
        return f"with new credentials, run `{command}`"
    return f"when AWS allows it, run `{command}`"


def _versions_left(lease: Lease, facts: RunFacts, error: ToolError) -> str:
    left = tuple(lease.made)
    are = "may be left"
    if not isinstance(error, CredentialsError):
        try:
            left = versions_of_run(lease.client, lease.function, facts.run_id)
        except ToolError:
            pass
        else:
            are = "are left" if len(left) > 1 else "is left"
    if not left:
        return ""
    return f"; version{'s' if len(left) > 1 else ''} {', '.join(left)} {are}"
