"""The contract, against the sandbox always and against what else is installed.

A step that a target is known not to support is run and may fail: pytest tells of one that passes
as XPASS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.contract import account
from tests.contract.account import Account
from tests.contract.script import STEPS
from tests.contract.step import TARGETS, Step, step
from tests.contract.targets import START, Absent

OpenTarget = Callable[[str], Account]


@pytest.fixture(scope="session")
def open_target() -> Iterator[OpenTarget]:
    """Starts each target once, when it is first asked for."""
    opened: dict[str, Account | Absent] = {}
    with ExitStack() as stack:

        def start(target: str) -> Account:
            if target not in opened:
                try:
                    opened[target] = stack.enter_context(START[target]())
                except Absent as error:
                    opened[target] = error
            found = opened[target]
            if isinstance(found, Absent):
                pytest.skip(str(found))
            return found

        yield start


def _cases() -> list[object]:
    cases = []
    for target in TARGETS:
        for each in STEPS:
            reason = each.unsupported.get(target)
            marks = () if reason is None else pytest.mark.xfail(strict=False, reason=reason)
            cases.append(pytest.param(target, each, id=f"{target}-{each.name}", marks=marks))
    return cases


@pytest.mark.parametrize(("target", "each"), _cases())
def test_the_target_does_as_aws_documents(
    target: str, each: Step, open_target: OpenTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    if target not in each.supported:  # what never comes is not waited for as long
        monkeypatch.setattr(account, "UNTIL_S", 1.0)
    each.run(open_target(target))


def test_each_step_has_a_name_of_its_own() -> None:
    names = [each.name for each in STEPS]
    assert len(set(names)) == len(names)


def test_the_sandbox_has_to_pass_every_step() -> None:
    assert all("sandbox" in each.supported for each in STEPS)
    with pytest.raises(ValueError, match="sandbox"):
        step(sandbox="not yet")


def test_what_a_step_made_is_removed_though_it_fails() -> None:
    removed = []

    @step()
    def fails(aws: Account) -> None:
        aws.later(lambda: removed.append("made"))
        raise AssertionError("on purpose")

    nowhere = Account("http://127.0.0.1:1")
    try:
        with pytest.raises(AssertionError, match="on purpose"):
            fails.run(nowhere)
    finally:
        nowhere.close()
    assert removed == ["made"]
