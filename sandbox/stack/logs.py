"""The log groups that the access logs of a stack's APIs go to."""

from __future__ import annotations

from contextlib import suppress

from sandbox.stack.clients import Clients


def log_group_name(stack: str, api: str) -> str:
    """The log group of an API's access log."""
    return f"/sandbox/{stack}/{api}/access"


def put_log_group(clients: Clients, api: str, *, wanted: bool) -> str:
    """The name of the log group, which is created if it is wanted and not there."""
    name = log_group_name(clients.stack, api)
    if wanted:
        # One from the last time stays, with the events in it.
        with suppress(clients.logs.exceptions.ResourceAlreadyExistsException):
            clients.logs.create_log_group(logGroupName=name)
    return name
