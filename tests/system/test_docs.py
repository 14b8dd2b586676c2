"""The documentation names what there is, and nothing that is not."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

COMMANDS = [
    pytest.param("tuner", [], "docs/tune.md", id="tune"),
    pytest.param("tuner", ["analyze"], "docs/tune.md", id="tune analyze"),
    pytest.param("tuner", ["apply"], "docs/tune.md", id="tune apply"),
    pytest.param("tuner", ["restore"], "docs/tune.md", id="tune restore"),
    pytest.param("tuner", ["preflight"], "docs/tune.md", id="tune preflight"),
    pytest.param("tuner", ["import"], "docs/tune.md", id="tune import"),
    pytest.param("tuner", ["compare"], "docs/tune.md", id="tune compare"),
    pytest.param("tuner", ["iam"], "docs/tune.md", id="tune iam"),
    pytest.param("loadgen", ["run"], "docs/loadgen.md", id="loadgen run"),
    pytest.param("loadgen", ["validate"], "docs/loadgen.md", id="loadgen validate"),
    pytest.param("loadgen", ["init"], "docs/loadgen.md", id="loadgen init"),
    pytest.param("loadgen", ["preflight"], "docs/preflight.md", id="loadgen preflight"),
    pytest.param("loadgen", ["schema"], "docs/loadgen.md", id="loadgen schema"),
    pytest.param("loadgen", ["limits"], "docs/limits.md", id="loadgen limits"),
    pytest.param("loadgen", ["collect"], "docs/loadgen.md", id="loadgen collect"),
    pytest.param("loadgen", ["forecast"], "docs/forecast.md", id="loadgen forecast"),
    pytest.param("sandbox", ["up"], "docs/sandbox.md", id="sandbox up"),
    pytest.param("sandbox", ["functions"], "docs/sandbox.md", id="sandbox functions"),
    pytest.param("sandbox", ["deploy"], "docs/gateway.md", id="sandbox deploy"),
    pytest.param("sandbox", ["fault", "add"], "docs/gateway.md", id="sandbox fault add"),
    pytest.param("sandbox", ["fault", "list"], "docs/gateway.md", id="sandbox fault list"),
    pytest.param("sandbox", ["fault", "clear"], "docs/gateway.md", id="sandbox fault clear"),
    pytest.param("sandbox", ["limits"], "docs/gateway.md", id="sandbox limits"),
    pytest.param("sandbox", ["enforcement"], "docs/gateway.md", id="sandbox enforcement"),
    pytest.param("sandbox", ["network"], "docs/gateway.md", id="sandbox network"),
    pytest.param("reports", ["build"], "docs/reports.md", id="reports build"),
    pytest.param("reports", ["compare"], "docs/reports.md", id="reports compare"),
    pytest.param("reports", ["chart"], "docs/reports.md", id="reports chart"),
    pytest.param("reports", ["explain"], "docs/reports.md", id="reports explain"),
    pytest.param("reports", ["doctor"], "docs/nightly-doctor.md", id="reports doctor"),
    pytest.param(
        "reports", ["history", "list"], "docs/nightly-history.md", id="reports history list"
    ),
    pytest.param(
        "reports", ["history", "show"], "docs/nightly-history.md", id="reports history show"
    ),
    pytest.param(
        "reports", ["history", "accept"], "docs/nightly-history.md", id="reports history accept"
    ),
    pytest.param(
        "reports", ["history", "mute"], "docs/nightly-history.md", id="reports history mute"
    ),
    pytest.param(
        "reports", ["history", "unmute"], "docs/nightly-history.md", id="reports history unmute"
    ),
    pytest.param(
        "reports", ["history", "prune"], "docs/nightly-history.md", id="reports history prune"
    ),
    pytest.param("reports", ["nightly"], "docs/nightly.md", id="reports nightly"),
    pytest.param("reports", ["schema"], "docs/nightly.md", id="reports schema"),
]


def options(module: str, verb: list[str], capsys: pytest.CaptureFixture[str]) -> set[str]:
    """The options that a command's help shows."""
    main = importlib.import_module(f"{module}.cli").main
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [module, *verb, "--help"])
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code
    shown = capsys.readouterr().out
    lines = [line for line in shown.splitlines() if line.startswith("  -")]
    return {word for line in lines for word in re.findall(r"--?[a-z][a-z-]*", line.split("  ")[1])}


@pytest.mark.parametrize(("module", "verb", "page"), COMMANDS)
def test_every_option_is_documented(
    module: str, verb: list[str], page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = options(module, verb, capsys)

    assert "--help" in found
    assert [option for option in sorted(found) if f"{option}" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]

    assert [target for target in local if not (page.parent / target).exists()] == []


def slug(heading: str) -> str:
    """The anchor that a heading has on GitHub and GitLab."""
    plain = heading.replace("`", "").lower()
    return re.sub(r"[^\w -]", "", plain).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_into_pages_lead_to_headings(page: Path) -> None:
    missing = []
    for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
        other = page.parent / target if target else page
        headings = re.findall(r"^#+ (.+)$", other.read_text(encoding="utf-8"), re.MULTILINE)
        if anchor not in {slug(heading) for heading in headings}:
            missing.append(f"{target}#{anchor}")

    assert missing == []


def test_the_contents_of_the_page_on_tuning_name_each_section() -> None:
    contents, _, text = (ROOT / "docs/tune.md").read_text(encoding="utf-8").partition("\n## ")
    sections = re.findall(r"^## (.+)$", f"## {text}", re.MULTILINE)

    assert [name for name in sections if f"[{name}](#{slug(name)})" not in contents] == []


def test_the_readme_leads_to_every_page() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [page.name for page in PAGES[1:] if f"docs/{page.name}" not in text] == []


def test_modules_named_in_the_documentation_exist() -> None:
    pattern = r"`((?:core|tuner|reports|sandbox|loadgen|benchmarks)/[\w/]+\.(?:py|json))`"
    named = {name for page in PAGES for name in re.findall(pattern, page.read_text())}

    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("package", ["history", "nightly", "nightly_page", "regression", "trends"])
def test_each_module_of_nights_is_in_the_map_of_the_code(package: str) -> None:
    table = (ROOT / "docs" / "architecture.md").read_text()
    modules = (ROOT / "reports" / package).rglob("[!_]*.py")

    assert [path for path in modules if f"`{path.relative_to(ROOT)}`" not in table] == []


def test_make_targets_named_in_the_readme_exist() -> None:
    readme, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()

    for target in re.findall(r"^ +make (\w+)", readme, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
