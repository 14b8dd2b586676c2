"""What a user is told before and after a size is applied."""

from __future__ import annotations

import shlex

from reports.figures import SPACE, megabytes, percent
from tuner.apply.destination import Destination
from tuner.apply.proposal import Proposal


def undo_command(run: str, profile: str | None) -> str:
    """The command that takes an application of `run` back."""
    option = "" if profile is None else f" --profile {shlex.quote(profile)}"
    return f"tune apply {shlex.quote(run)} --undo{option}"


def statement(
    proposal: Proposal, destination: Destination, old_version: str | None, undo: str
) -> str:
    """What is going to be changed, what it saves, and how it is taken back."""
    function = proposal.function
    return (
        f"{function.name} in {function.region} goes {proposal.sizes}: {proposal.effect}; "
        f"{_how(destination, old_version)}; `{undo}` takes it back"
    )


def _how(destination: Destination, old_version: str | None) -> str:
    alias, shift = destination.alias, destination.shift
    if alias is None:
        return "$LATEST is changed, and calls without a version meet it at once"
    published = f"a version is published and alias {alias} moves to it from version {old_version}"
    if shift is None:
        return f"{published}; $LATEST keeps the new size"
    return (
        f"{published}, with {percent(shift.share)} of its calls for {shift.seconds:.0f}{SPACE}s "
        "and all of them when these do no worse; then $LATEST gets the new size as well"
    )


def template_note(proposal: Proposal) -> str:
    """That what deploys the function has to know of its new size."""
    return (
        f"if a template deploys {proposal.function.name} (SAM, CloudFormation, CDK, Terraform, "
        f"serverless.yml), set {megabytes(proposal.to_mb)} there as well: its next deployment "
        f"puts {megabytes(proposal.from_mb)} back"
    )
