"""Deployment packages: what is unpacked, and what is refused."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.api_errors import ApiError
from sandbox.lambda_api import packages
from sandbox.lambda_api.packages import PackageStore, unpack
from sandbox.removal import remove_tree


def zip_with(entries: Mapping[str, bytes], mode: int = 0o100644) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


def files_below(path: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()
    }


def test_files_and_their_modes_are_unpacked(tmp_path: Path) -> None:
    unpack(zip_with({"bootstrap": b"#!/bin/sh\n"}, 0o100755), tmp_path / "code")
    path = tmp_path / "code" / "bootstrap"
    assert path.read_bytes() == b"#!/bin/sh\n"
    assert os.access(path, os.X_OK)


def test_a_package_without_modes_can_be_read(tmp_path: Path) -> None:
    unpack(zip_with({"app.py": b"x"}, 0), tmp_path / "code")
    assert stat.S_IMODE((tmp_path / "code" / "app.py").stat().st_mode) == 0o644


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/evil", "a\\..\\evil", "..", "a/.."]
)
def test_entries_that_leave_the_package_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ApiError, match="Could not unzip uploaded file"):
        unpack(zip_with({"fine.py": b"", name: b"evil"}), tmp_path / "deep" / "code")
    assert "evil" not in "".join(files_below(tmp_path))


def zip_with_links(links: list[tuple[str, str]], files: Mapping[str, bytes]) -> bytes:
    """A package whose links come before its files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, target in links:
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, target)
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "target", "reads"),
    [
        pytest.param("app.py", "lib/real.py", "app.py", id="to a file below"),
        pytest.param("bin/run", "../lib/real.py", "bin/run", id="to a file above"),
        pytest.param("now", "lib", "now/real.py", id="to a directory"),
        pytest.param("lib/here", ".", "lib/here/real.py", id="to its own directory"),
        pytest.param("lib/up", "..", "lib/up/lib/real.py", id="to the package itself"),
    ],
)
def test_links_inside_a_package_are_made(
    tmp_path: Path, name: str, target: str, reads: str
) -> None:
    store = PackageStore(tmp_path)
    package = zip_with_links([(name, target)], {"lib/real.py": b"real"})
    code_dir = store.code_dir(store.add(package))
    assert (code_dir / name).is_symlink()
    assert (code_dir / reads).read_bytes() == b"real"


def test_a_link_to_nothing_inside_is_made(tmp_path: Path) -> None:
    unpack(zip_with_links([("link", "later.so")], {}), tmp_path / "code")
    assert (tmp_path / "code" / "link").readlink() == Path("later.so")


@pytest.mark.parametrize(
    "links",
    [
        pytest.param([("link", "/etc/passwd")], id="absolute"),
        pytest.param([("link", "..")], id="above"),
        pytest.param([("lib/link", "../../outside")], id="above a directory"),
        pytest.param([("a", "lib/deep"), ("b", "a/../../..")], id="through a link that goes deep"),
        pytest.param([("b", "a/../.."), ("a", ".")], id="through a later link"),
        pytest.param([("a", "gone/../..")], id="through nothing"),
        pytest.param([("a", "../outside"), ("a/b", "c")], id="a link written through a link"),
        pytest.param([("a", "../outside"), ("a/b/c", "d")], id="a directory made through a link"),
        pytest.param([("a", "lib"), ("a/b", "real.py")], id="through a link that stays inside"),
        pytest.param([("lib", "../outside")], id="in the place of a directory"),
        pytest.param([("../link", "real.py")], id="a name outside"),
        pytest.param([("a", "a/x")], id="a circle"),
        pytest.param([("a", "")], id="no target"),
        pytest.param([("a", "x" * 5000)], id="a target that is too long"),
    ],
)
def test_links_out_of_a_package_are_refused(tmp_path: Path, links: list[tuple[str, str]]) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    store = PackageStore(tmp_path / "code")
    with pytest.raises(ApiError, match="Could not unzip uploaded file"):
        store.add(zip_with_links(links, {"lib/real.py": b"real", "lib/deep/x": b""}))
    assert list(outside.iterdir()) == []
    assert list((tmp_path / "code").iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"code", "outside"}


def resolve_without_raising(path: Path) -> Path:
    """What Path.resolve does with a circle from Python 3.13 on."""
    return Path(os.path.realpath(path))


@pytest.mark.parametrize(
    "links",
    [
        pytest.param([("a", "a")], id="to itself"),
        pytest.param([("a", "b"), ("b", "a")], id="to each other"),
        pytest.param([("a", "lib/../a/x")], id="below itself"),
        pytest.param([("b", "a/x"), ("a", "a")], id="through another one"),
    ],
)
@pytest.mark.parametrize("resolve", [Path.resolve, resolve_without_raising])
def test_links_in_a_circle_are_refused_with_a_reason(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    links: list[tuple[str, str]],
    resolve: Callable[[Path], Path],
) -> None:
    monkeypatch.setattr(Path, "resolve", resolve)
    store = PackageStore(tmp_path)
    with pytest.raises(ApiError, match=r"entry '[ab]' is a symbolic link in a circle"):
        store.add(zip_with_links(links, {"lib/real.py": b"real"}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:Duplicate name")  # zipfile, when writing it
def test_a_file_is_never_written_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("a", "a/file"):
        package = zip_with_links([("a", str(outside))], {name: b"evil"})
        with pytest.raises(ApiError):
            unpack(package, tmp_path / "code")
        remove_tree(tmp_path / "code")
    assert list(outside.iterdir()) == []


PARTS = st.lists(st.sampled_from(["a", "b", "..", "."]), min_size=1, max_size=5).map("/".join)


@pytest.mark.filterwarnings("ignore:Duplicate name")  # zipfile, when writing it
@given(st.lists(st.tuples(PARTS, PARTS), max_size=4), st.lists(PARTS, min_size=1, max_size=3))
def test_whatever_a_package_links_to_nothing_is_touched_outside(
    tmp_path_factory: pytest.TempPathFactory, links: list[tuple[str, str]], files: list[str]
) -> None:
    directory = tmp_path_factory.mktemp("links")
    package = zip_with_links(links, dict.fromkeys(files, b"content"))
    with suppress(ApiError):
        unpack(package, directory / "code")
        for path in (directory / "code").rglob("*"):
            assert path.resolve().is_relative_to(directory / "code")
    assert {path.name for path in directory.iterdir()} <= {"code"}


def test_a_package_cannot_be_written(tmp_path: Path) -> None:
    store = PackageStore(tmp_path)
    package = zip_with({"bootstrap": b"#!/bin/sh\n", "lib/deep/b.py": b""}, 0o100777)
    code_dir = store.code_dir(store.add(package))
    modes = {
        str(path.relative_to(code_dir)): stat.S_IMODE(path.stat().st_mode)
        for path in (code_dir, *code_dir.rglob("*"))
    }
    assert modes == dict.fromkeys([".", "bootstrap", "lib", "lib/deep", "lib/deep/b.py"], 0o555)
    store.keep_only([])
    assert list(tmp_path.iterdir()) == []


@given(st.binary(max_size=200))
def test_any_bytes_are_unpacked_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    target = tmp_path_factory.mktemp("any") / "code"
    with pytest.raises(ApiError):
        unpack(data, target)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_damaged_package_is_unpacked_or_refused(
    tmp_path_factory: pytest.TempPathFactory, position: int, change: int
) -> None:
    damaged = bytearray(zip_with({"app.py": b"x = 1\n" * 50, "lib/b.py": b"y = 2\n"}))
    damaged[position % len(damaged)] ^= change
    directory = tmp_path_factory.mktemp("damaged")
    with suppress(ApiError):
        unpack(bytes(damaged), directory / "code")
    assert {path.name for path in directory.iterdir()} <= {"code"}


def test_an_empty_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="non-empty zip"):
        unpack(zip_with({}), tmp_path / "code")


def test_packages_have_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "MAX_UNZIPPED_BYTES", 1000)
    unpack(zip_with({"a": b"x" * 500, "b": b"y" * 500}), tmp_path / "fits")
    with pytest.raises(ApiError, match="Unzipped size must be smaller than 1000 bytes"):
        unpack(zip_with({"a": b"x" * 500, "b": b"y" * 501}), tmp_path / "too-large")
    store = PackageStore(tmp_path / "store")
    monkeypatch.setattr(packages, "MAX_ZIPPED_BYTES", 10)
    with pytest.raises(ApiError, match="Zipped size"):
        store.add(zip_with({"a": b"x"}))


def test_a_package_is_kept_once_and_removed_when_unused(tmp_path: Path) -> None:
    store = PackageStore(tmp_path)
    one, two = store.add(zip_with({"a": b"1"})), store.add(zip_with({"a": b"2"}))
    assert store.add(zip_with({"a": b"1"})) == one
    assert len(list(tmp_path.iterdir())) == 4
    store.keep_only([two])
    assert not store.code_dir(one).exists()
    assert files_below(store.code_dir(two)) == {"a": b"2"}
    assert store.zip_path(two).exists()


def test_files_of_the_user_beside_the_packages_stay(tmp_path: Path) -> None:
    store = PackageStore(tmp_path)
    store.add(zip_with({"a": b"1"}))
    (tmp_path / ".unpacking-x1y2_z3").mkdir()
    mine = ["src", "notes.zip", "0" * 63, "A" * 64, f"{'0' * 64}.txt", ".unpacking"]
    for name in mine:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("mine")
    store.keep_only([])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(mine)
    assert len(files_below(tmp_path)) == len(mine)


@pytest.mark.parametrize(
    "name", ["a" * 300, "../state.json", "a.zip", f"{'0' * 64}.zip", "", "\0", "%00.zip"]
)
def test_a_zip_that_is_not_there_is_not_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "state.json").write_text("{}")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.zip").write_text("of the user")
    assert PackageStore(tmp_path / "code").find_zip(name) is None


def test_a_refused_package_leaves_nothing_behind(tmp_path: Path) -> None:
    store = PackageStore(tmp_path)
    with pytest.raises(ApiError):
        store.add(zip_with({"fine": b"", "../evil": b""}))
    assert list(tmp_path.iterdir()) == []
