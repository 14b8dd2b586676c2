"""What a check before a run found, and what to do about it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.errors import ExitCode, ToolError, exit_code_of
from core.text import one_line

# A note is worth knowing, a warning may spoil a run, a problem keeps it from being made.
State = Literal["ok", "note", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table; `exit_code` is what a problem would end a run with."""

    name: str
    state: State
    found: str
    to_do: str = ""
    exit_code: ExitCode = ExitCode.PASS

    @property
    def line(self) -> str:
        """The finding in a line."""
        return f"{self.name}: {self.found}" + (f" ({self.to_do})" if self.to_do else "")


def problem(name: str, error: ToolError) -> Finding:
    """The finding that a run would end with `error`."""
    found, to_do = one_line(str(error.args[0])), one_line(error.hint or "")
    return Finding(name, "problem", found, to_do, exit_code_of(error))


def unknown(name: str, error: ToolError, to_do: str = "nothing depends on it") -> Finding:
    """The finding that AWS does not say, where a run can be made all the same."""
    return Finding(name, "note", one_line(str(error.args[0])), to_do)


def exit_code(findings: Sequence[Finding]) -> ExitCode:
    """That of the first problem, which a run would meet first; 0 where there is none."""
    codes = (finding.exit_code for finding in findings if finding.state == "problem")
    return next(codes, ExitCode.PASS)
