"""Steps are told as tests are: with the values of what was compared."""

from __future__ import annotations

from pathlib import Path

import pytest

for path in sorted(Path(__file__).parent.glob("*_steps.py")):
    pytest.register_assert_rewrite(f"tests.contract.{path.stem}")
