"""Deployment packages: checked, kept and unpacked, one for each content."""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import re
import stat
import uuid
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from core.errors import InputError
from sandbox.api_errors import ApiError
from sandbox.lambda_api.records import Code
from sandbox.removal import make_read_only, remove_tree

# Lambda quotas, 2026: direct upload, and unzipped with layers.
MAX_ZIPPED_BYTES = 52_428_800
MAX_UNZIPPED_BYTES = 262_144_000

_COPY_BYTES = 1 << 20
# PATH_MAX of Linux: no target of a symbolic link is longer.
_MAX_LINK_BYTES = 4096

_UNPACKING = ".unpacking-"
# What the store itself writes: the user may keep files of their own beside it.
_OWN_NAME = re.compile(rf"[0-9a-f]{{64}}(\.zip)?|{re.escape(_UNPACKING)}\w+(\.zip)?")
_ZIP_NAME = re.compile(r"[0-9a-f]{64}\.zip")


class PackageStore:
    """Zips and their unpacked directories, by the SHA-256 of the zip."""

    def __init__(self, directory: Path) -> None:
        """Keeps packages in `directory`, which is made where it does not exist.

        Raises:
            InputError: it cannot be made, or is no directory.
        """
        self._directory = directory
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(directory, error) from error

    def add(self, zip_bytes: bytes) -> Code:
        """Unpacks a package, unless it is here already.

        Raises:
            ApiError: it is no zip, too large, or has an entry that would leave its directory.
        """
        if len(zip_bytes) > MAX_ZIPPED_BYTES:
            raise ApiError(
                "RequestEntityTooLargeException",
                f"Zipped size must be smaller than {MAX_ZIPPED_BYTES} bytes",
                status=413,
            )
        digest = hashlib.sha256(zip_bytes).digest()
        code = Code(base64.b64encode(digest).decode(), len(zip_bytes))
        if not self.code_dir(code).is_dir():
            self._unpack(zip_bytes, code)
        return code

    def _unpack(self, zip_bytes: bytes, code: Code) -> None:
        """Unpacks beside the final place and moves, so that no half of a package is ever seen."""
        scratch = self._directory / f"{_UNPACKING}{uuid.uuid4().hex}"
        scratch_zip = scratch.with_suffix(".zip")
        try:
            unpack(zip_bytes, scratch)
            # Functions of the same package share it, as do all their environments.
            make_read_only(scratch)
            scratch_zip.write_bytes(zip_bytes)
            scratch_zip.replace(self.zip_path(code))
            try:
                scratch.rename(self.code_dir(code))
            except OSError:
                # The same package came twice at once, and the other was first.
                if not self.code_dir(code).is_dir():
                    raise
        finally:
            remove_tree(scratch)
            scratch_zip.unlink(missing_ok=True)

    def code_dir(self, code: Code) -> Path:
        """Where the files of `code` are."""
        return self._directory / _file_name(code)

    def zip_path(self, code: Code) -> Path:
        """Where the zip of `code` is."""
        return self._directory / f"{_file_name(code)}.zip"

    def find_zip(self, name: str) -> Path | None:
        """The zip with the file name that a download asks for."""
        path = self._directory / name
        return path if _ZIP_NAME.fullmatch(name) and path.is_file() else None

    def keep_only(self, codes: Iterable[Code]) -> None:
        """Removes the packages that no function has any more, and nothing else.

        Raises:
            InputError: the directory cannot be read, or written.
        """
        kept = {_file_name(code) for code in codes}
        try:
            for path in self._directory.iterdir():
                is_own = _OWN_NAME.fullmatch(path.name) is not None
                if not is_own or path.name.removesuffix(".zip") in kept:
                    continue
                if path.is_dir():
                    remove_tree(path)
                else:
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(self._directory, error) from error


def unpack(zip_bytes: bytes, target: Path) -> None:
    """Writes the files of a zip below `target`, which is made.

    Raises:
        ApiError: the zip cannot be read, holds too much, or has an entry or a link to a
            place outside of `target`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(zip_bytes)) as archive:
            entries = archive.infolist()
            if not any(not entry.is_dir() for entry in entries):
                raise _invalid("Uploaded file must be a non-empty zip")
            if sum(entry.file_size for entry in entries) > MAX_UNZIPPED_BYTES:
                raise _too_large()
            target.mkdir()
            remaining = MAX_UNZIPPED_BYTES
            files = [entry for entry in entries if not _is_link(entry)]
            links = [entry for entry in entries if _is_link(entry)]
            # The links last, so that no file is ever written through one.
            for entry in (*files, *links):
                remaining -= _extract(archive, entry, target, remaining)
            for entry in links:
                _check_link(target, entry)
    except ApiError:
        raise
    except Exception as error:
        # zipfile lists no errors: damaged packages make it raise a dozen kinds.
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EACCES):
            raise
        raise _unreadable() from error


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, remaining: int) -> int:
    """Writes one entry; gives its size."""
    path = target / _safe_name(entry)
    if _is_link(entry):
        return _make_link(archive, entry, target)
    if entry.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with archive.open(entry) as source, path.open("wb") as file:
        # Sizes in a zip's directory may lie: what counts is what comes out.
        while chunk := source.read(_COPY_BYTES):
            size += len(chunk)
            if size > remaining:
                raise _too_large()
            file.write(chunk)
    # A package made on Windows has no mode; the executor must be able to read in any case.
    path.chmod(stat.S_IMODE(_mode(entry)) & 0o777 | 0o644)
    return size


def _make_link(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> int:
    """Makes a symbolic link, wherever it leads; gives its size."""
    path = target / entry.filename
    # A link in the place of a directory would be written through.
    if path.parent.resolve() != target.resolve() / PurePosixPath(entry.filename).parent:
        raise _leaves_package(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source:
        content = source.read(_MAX_LINK_BYTES + 1)
    if len(content) > _MAX_LINK_BYTES:
        raise _unreadable()
    path.symlink_to(content.decode())
    return len(content)


def _check_link(target: Path, entry: zipfile.ZipInfo) -> None:
    """Refuses a link that leads out of the package or in a circle, also through another one."""
    path = target / entry.filename
    # Whether `resolve` raises for a circle depends on the version of Python.
    if _is_circular(path):
        raise _unreadable(f" (entry {entry.filename!r} is a symbolic link in a circle)")
    if path.readlink().is_absolute() or not path.resolve().is_relative_to(target.resolve()):
        raise _leaves_package(entry)


def _is_circular(path: Path) -> bool:
    try:
        path.stat()
    except OSError as error:
        # Anything else, as a target that is not there, is for whoever uses the link.
        return error.errno == errno.ELOOP
    return False


def _safe_name(entry: zipfile.ZipInfo) -> str:
    name = entry.filename
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise _leaves_package(entry)
    return name


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(_mode(entry)) and not entry.is_dir()


def _mode(entry: zipfile.ZipInfo) -> int:
    return entry.external_attr >> 16


def _file_name(code: Code) -> str:
    return base64.b64decode(code.sha256).hex()


def _unusable(directory: Path, error: OSError) -> InputError:
    reason = "it is no directory" if isinstance(error, FileExistsError) else error.strerror
    return InputError(
        f"{directory}: could not keep deployment packages there: {reason}",
        hint="give another --state directory",
    )


def _leaves_package(entry: zipfile.ZipInfo) -> ApiError:
    kind = "a symbolic link that leaves" if _is_link(entry) else "outside of"
    return _unreadable(f" (entry {entry.filename!r} is {kind} the package)")


def _unreadable(reason: str = "") -> ApiError:
    return _invalid(
        "Could not unzip uploaded file. Please check your file, then try to upload again." + reason
    )


def _too_large() -> ApiError:
    return _invalid(f"Unzipped size must be smaller than {MAX_UNZIPPED_BYTES} bytes")


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterValueException", message)
