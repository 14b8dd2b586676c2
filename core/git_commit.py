"""The commit and branch of the working copy around a folder, from its files: no git is started.

What is not committed is not seen: the commit says where the working copy stood, not that it was
clean. Repositories that keep their references in another format (reftable) give none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# A chain of symbolic references longer than this is a loop.
_MOST_STEPS = 5
# Where CI services put it: GitHub, GitLab, Jenkins, CodeBuild, Bitbucket, Azure Pipelines.
_VARIABLES = (
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "GIT_COMMIT",
    "CODEBUILD_RESOLVED_SOURCE_VERSION",
    "BITBUCKET_COMMIT",
    "BUILD_SOURCEVERSION",
)
# Their branches; they check out a commit, so that the files name none. A pull request's own comes
# first: what its job has checked out is a merge of it that nobody sees.
_BRANCH_VARIABLES = (
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "CI_COMMIT_REF_NAME",
    "BRANCH_NAME",
    "GIT_BRANCH",
    "CODEBUILD_WEBHOOK_HEAD_REF",
    "BITBUCKET_BRANCH",
    "BUILD_SOURCEBRANCHNAME",
)
_REMOTE = re.compile(r"^(refs/heads/|refs/remotes/origin/|origin/)")


def git_commit(folder: Path, environment: Mapping[str, str]) -> str | None:
    """The commit around `folder`, else what a CI service says; None where nobody knows."""
    try:
        found = _from_files(folder)
    except (OSError, UnicodeDecodeError):
        found = None
    told = (environment.get(name, "") for name in _VARIABLES)
    return found or next((value for value in told if _COMMIT.fullmatch(value)), None)


def git_branch(folder: Path, environment: Mapping[str, str]) -> str | None:
    """The branch that is checked out around `folder`, else what a CI service says, or None."""
    try:
        git = _git_folder(folder)
        head = _reference(git, "HEAD") if git is not None else None
    except (OSError, UnicodeDecodeError):
        head = None
    if head is not None and head.startswith("ref:"):
        return _REMOTE.sub("", head.removeprefix("ref:").strip())
    told = (environment.get(name, "").strip() for name in _BRANCH_VARIABLES)
    return next((_REMOTE.sub("", value) for value in told if value), None)


def _from_files(folder: Path) -> str | None:
    git = _git_folder(folder)
    return None if git is None else _resolved(git, "HEAD")


def _git_folder(folder: Path) -> Path | None:
    for place in (folder, *folder.parents):
        git = place / ".git"
        if git.is_dir():
            return git
        if git.is_file():
            # A working copy beside the main one, or a submodule: the file names the folder.
            _, _, target = git.read_text(encoding="utf-8").partition("gitdir:")
            return (place / target.strip()).resolve()
    return None


def _resolved(git: Path, name: str, steps: int = _MOST_STEPS) -> str | None:
    """The commit that a reference leads to."""
    text = _reference(git, name)
    if text is None or _COMMIT.fullmatch(text):
        return text
    if not text.startswith("ref:") or steps == 0:
        return None
    return _resolved(git, text.removeprefix("ref:").strip(), steps - 1)


def _reference(git: Path, name: str) -> str | None:
    common = git / "commondir"
    shared = git / common.read_text(encoding="utf-8").strip() if common.is_file() else git
    for place in (git, shared):
        if (place / name).is_file():
            return (place / name).read_text(encoding="utf-8").strip()
    packed = shared / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), None)
