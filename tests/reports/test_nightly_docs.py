"""The page about nights: it names every key of plans, and its example and its defaults hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reports.nightly.plan import Confirm, Gates, NightlyPlan, Retention, TuneStep
from reports.nightly.plan_reader import read_plan
from reports.nightly.plan_schema import plan_schema
from tests.reports.test_nightly_plan import PROFILE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "nightly.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def words_in_code() -> set[str]:
    """All words of the page that are set as code, the example too."""
    code = [*re.findall(r"`([^`\n]+)`", PAGE), *EXAMPLES]
    return {word for text in code for word in re.findall(r"[A-Za-z_]\w*", text)}


def test_the_page_names_every_key_and_every_word_of_choices() -> None:
    schema = plan_schema()
    parts = (schema, *schema["$defs"].values())
    keys = {key for part in parts for key in part.get("properties", {})}
    choices = set(re.findall(r"'enum': \[(.*?)\]", str(parts)))

    assert sorted(keys - words_in_code()) == []
    assert sorted(set(re.findall(r"\w+", " ".join(choices))) - words_in_code()) == []


@pytest.mark.parametrize("environment", [None, "laptop"])
def test_the_example_of_the_page_is_in_order(tmp_path: Path, environment: str | None) -> None:
    (example,) = EXAMPLES
    (tmp_path / "orders.yaml").write_text(PROFILE, encoding="utf-8")
    (tmp_path / "template.yaml").write_text("Resources: {}", encoding="utf-8")
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "thumbnail.json").write_text("{}", encoding="utf-8")
    path = tmp_path / "nightly.yaml"
    path.write_text(example, encoding="utf-8")
    env = {"API_KEY": "key-0123456789", "SLACK_WEBHOOK_URL": "https://hooks.example/x"}

    plan = read_plan(path, environment=environment, env=env).plan

    assert plan.sandbox is (environment == "laptop")


def test_the_plan_that_comes_along_is_in_order() -> None:
    plan = read_plan(ROOT / "profiles" / "nightly.yaml", env={}).plan

    assert [step.kind for step in plan.steps] == ["tune", "load"]


def test_defaults_of_the_page_are_those_of_the_model() -> None:
    said = dict(re.findall(r"^\| `([\w.]+)` \| (\S+) \|", PAGE, re.MULTILINE))
    gates, confirm, retention = Gates(), Confirm(), Retention()
    every_s = NightlyPlan.model_fields["every_s"].default
    limit_s = TuneStep.model_fields["time_limit_s"].default

    assert (said["window"], said["min_nights"]) == (str(gates.window), str(gates.min_nights))
    assert (said["reruns"], said["pairs"]) == (str(confirm.reruns), str(confirm.pairs))
    assert said["family_error"] == f"{gates.family_error:.0%}"
    assert said["regret"] == f"{gates.regret:.0%}"
    assert said["by"] == f"`{confirm.by}`"
    assert said["inconclusive"] == f"`{gates.inconclusive}`"
    assert said["retention.runs_days"] == str(retention.runs_days)
    assert (said["every"], every_s) == ("1d", 86_400)
    assert (said["time_limit"], limit_s, confirm.time_limit_s) == ("1h", 3600, 3600)
    floors = ", ".join(f"{name} {share:.0%}" for name, share in gates.floors.model_dump().items())
    assert f"| `floors` | {floors} |" in PAGE
