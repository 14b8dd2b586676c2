"""The page about profiles: it names every key, and its examples are in order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loadgen.condition import parse
from loadgen.flow.template import FUNCTIONS
from loadgen.profile.reader import read_profile
from loadgen.profile.schema import profile_schema
from tests.loadgen.test_profile_schema import SCHEMA, check

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "profile.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
# All but the plan of a night, which is beside the profiles that it runs.
PROFILES = sorted({*(ROOT / "profiles").glob("*.yaml")} - {ROOT / "profiles" / "nightly.yaml"})


def words_in_code() -> set[str]:
    """All words of the page that are set as code, examples too."""
    code = [*re.findall(r"`([^`\n]+)`", PAGE), *EXAMPLES]
    return {word for text in code for word in re.findall(r"[A-Za-z_]\w*", text)}


def test_the_page_names_every_key_and_every_word_of_choices() -> None:
    schema = profile_schema()
    keys, choices = set[str](), set[str]()
    for part in (schema, *schema["$defs"].values()):
        keys |= part.get("properties", {}).keys()
        choices |= set(re.findall(r"'enum': \[(.*?)\]", str(part)))
    named = words_in_code()

    assert sorted(keys - named) == []
    assert sorted(set(re.findall(r"\w+", " ".join(choices))) - named) == []


def test_the_page_names_every_function_of_templates() -> None:
    assert sorted(FUNCTIONS - words_in_code()) == []


@pytest.mark.parametrize("environment", [None, "local", "staging"])
def test_the_example_of_the_page_is_in_order(tmp_path: Path, environment: str | None) -> None:
    (example,) = EXAMPLES
    path = tmp_path / "shop.yaml"
    path.write_text(example, encoding="utf-8")

    file = read_profile(path, environment=environment, env={"API_KEY": "key-0123456789"})

    check(file.document.value, SCHEMA)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.name)
def test_profiles_that_come_along_are_in_order(path: Path) -> None:
    assert read_profile(path, env={}).profile.name


def test_conditions_of_the_page_can_be_parsed() -> None:
    found = re.findall(r"`((?:p\d+|max|mean|rate|count|rps)\([^`]*\) [^`]*)`", PAGE)

    assert len(found) > 5
    assert [str(parse(text)) for text in found]


@pytest.mark.parametrize(
    ("key", "default"),
    re.findall(r"^\| `(\w+)` \| ([\d.]+(?:s|ms|%)?|true|false|`\w+`) \|", PAGE, re.MULTILINE),
)
def test_defaults_of_the_page_are_those_of_the_model(key: str, default: str) -> None:
    schema = profile_schema()
    defaults = [
        part["properties"][key].get("default")
        for part in schema["$defs"].values()
        if key in part.get("properties", {})
    ]
    text = default.strip("`")
    number = re.fullmatch(r"([\d.]+)(s|ms|%)?", text)
    if number is not None:
        scale = {"ms": 1e-3, "%": 1e-2}.get(number[2] or "", 1)
        assert pytest.approx(float(number[1]) * scale) in [d for d in defaults if d is not None]
    else:
        assert {"true": True, "false": False}.get(text, text) in defaults or key == "on_end"
