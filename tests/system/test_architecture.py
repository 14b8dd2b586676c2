"""Which package may import which, and through which door each heavy library enters."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("core", "reports", "tuner", "loadgen", "sandbox")

# docs/architecture.md: imports run one way.
ALLOWED = {
    "core": {"core"},
    "reports": {"core", "reports"},
    "tuner": {"core", "reports", "tuner"},
    "loadgen": {"core", "reports", "loadgen"},
    "sandbox": {"core", "sandbox"},
}

# gevent makes sockets and locks cooperative, and Locust does that to the whole standard library:
# both live in processes of their own, of which the rest of the load generator knows only messages.
COOPERATIVE = ("loadgen/injector/", "loadgen/web_ui/", "loadgen/wire/")
# The sandbox serves what boto3 asks, so it reads botocore's service models as well.
DOORS = {
    "boto3": {"core/aws/", "sandbox/"},
    "botocore": {"core/aws/", "sandbox/"},
    "scipy": {
        "tuner/curve.py",
        "tuner/estimate.py",
        "loadgen/bucket/interval.py",
        "loadgen/search/curve.py",
    },
    "jinja2": {"reports/"},
    "pandas": {"reports/"},
    "locust": set(COOPERATIVE) - {"loadgen/wire/"},
    "gevent": set(COOPERATIVE),
    "greenlet": set(COOPERATIVE),
    "httptools": {"sandbox/", "loadgen/wire/"},
    "hdrh": set(),  # only tests and benchmarks compare with it
}

HEAVY = (
    "boto3", "botocore", "scipy", "numpy", "pandas", "jinja2", "locust", "gevent", "rich",
    "pydantic", "ruamel", "yaml", "httptools", "httpx", "jmespath", "orjson",
)  # fmt: skip


def source_files() -> list[Path]:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    # Handlers and bootstraps run in processes of their own, as the user's code does.
    apart = (ROOT / "sandbox" / "functions", ROOT / "sandbox" / "execution" / "bootstrap")
    return [path for path in files if not any(path.is_relative_to(folder) for folder in apart)]


@cache
def imported(path: Path) -> tuple[str, ...]:
    """What a file imports, at module level or later, except for type checking."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """The statements in a node, however deep: expressions, most of a tree, have no imports."""
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        for inner in getattr(node, block, ()):
            yield inner
            if not (isinstance(inner, ast.If) and ast.unparse(inner.test) == "TYPE_CHECKING"):
                yield from statements(inner)


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in source_files()
        if path.is_relative_to(ROOT / package)
        for module in imported(path)
        if module.split(".")[0] in set(PACKAGES) - ALLOWED[package]
    ]

    assert wrong == []


@pytest.mark.parametrize("library", sorted(DOORS))
def test_each_heavy_library_enters_by_its_own_door(library: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in source_files()
        for module in imported(path)
        if module.split(".")[0] == library
        and not any(str(path.relative_to(ROOT)).startswith(door) for door in DOORS[library])
    ]

    assert wrong == []


def test_only_processes_of_their_own_import_what_is_cooperative() -> None:
    modules = ("loadgen.injector", "loadgen.web_ui", "loadgen.wire")
    wrong = [
        f"{name} imports {module}"
        for path in source_files()
        if not (name := str(path.relative_to(ROOT))).startswith(COOPERATIVE)
        for module in imported(path)
        if any(module == door or module.startswith(f"{door}.") for door in modules)
    ]

    assert wrong == []


def test_an_injector_imports_locust_first_of_all() -> None:
    for package in ("loadgen/injector", "loadgen/web_ui"):
        assert imported(ROOT / package / "__init__.py")[0] == "locust"


@pytest.mark.parametrize("script", ["tuner", "loadgen", "reports", "sandbox"])
def test_help_imports_nothing_heavy(script: str) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['{script}', '--help']\n"
        f"from {script}.cli import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)\n"
    )

    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert finished.stderr.strip() == "[]"


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "misc", "common", "manager"}

    assert [path for path in source_files() if path.stem in empty] == []
