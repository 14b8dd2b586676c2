"""The exit code of each failure is a promise to pipelines."""

import re
from pathlib import Path

import pytest

from core import errors
from core.errors import ExitCode, Interrupted, NotRun, ToolError, exit_code_of


def _classes() -> list[type[ToolError]]:
    found: list[type[ToolError]] = [ToolError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return [kind for kind in found if kind.__module__ == "core.errors"]


def test_the_tree_in_the_docstring_names_every_error_with_its_exit_code() -> None:
    drawn = dict(re.findall(r"(\w+)\s{2,}(\d+)(?:/\d+)?\s{2,}", errors.__doc__ or ""))

    assert {kind.__name__: str(int(kind.exit_code)) for kind in _classes()} == drawn


def test_the_documentation_lists_every_exit_code() -> None:
    text = (Path(__file__).parents[2] / "docs" / "exit-codes.md").read_text(encoding="utf-8")

    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}

    assert documented == {int(code) for code in ExitCode}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(errors.InputError("x"), 2, id="input"),
        pytest.param(errors.FunctionNotFound("x"), 2, id="no such function"),
        pytest.param(errors.CredentialsError("x"), 1, id="credentials"),
        pytest.param(errors.Refused("x"), 6, id="guard"),
        pytest.param(Interrupted("x"), 130, id="sigint"),
        pytest.param(Interrupted("x", code=ExitCode.TERMINATED), 143, id="sigterm"),
        pytest.param(NotRun("x", code="T", reason=None, retry_after_s=None), 1, id="throttled"),
    ],
)
def test_each_error_ends_with_its_code(error: ToolError, code: int) -> None:
    assert exit_code_of(error) == code


def test_a_hint_follows_the_message() -> None:
    assert str(errors.InputError("no region", hint="give --region")) == "no region (give --region)"
    assert str(errors.InputError("no region")) == "no region"
