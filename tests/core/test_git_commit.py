"""The commit and branch of a working copy, as its files or a CI service tell it."""

from __future__ import annotations

import pytest

from core.git_commit import git_branch, git_commit

ONE, OTHER = "1" * 40, "a" * 64


def repository(folder, head, **files):
    git = folder / ".git"
    git.mkdir(parents=True)
    (git / "HEAD").write_text(head)
    for name, text in files.items():
        path = git / name.replace("__", "/").replace("_", "-")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return git


@pytest.mark.parametrize(
    ("head", "files", "commit"),
    [
        (f"{ONE}\n", {}, ONE),
        ("ref: refs/heads/main\n", {"refs__heads__main": f"{OTHER}\n"}, OTHER),
        ("ref: refs/heads/main\n", {"packed_refs": f"# pack-refs\n{ONE} refs/heads/main\n"}, ONE),
        ("ref: refs/heads/new\n", {}, None),
        ("ref: HEAD\n", {}, None),
        ("nonsense\n", {}, None),
    ],
    ids=["detached", "branch", "packed", "no commit yet", "a loop", "no reference"],
)
def test_the_head_of_a_repository_is_followed(tmp_path, head, files, commit):
    repository(tmp_path, head, **files)
    below = tmp_path / "deep" / "down"
    below.mkdir(parents=True)

    assert git_commit(below, {}) == commit


def test_a_working_copy_beside_the_main_one_shares_its_references(tmp_path):
    git = repository(tmp_path / "main", "ref: refs/heads/main\n", refs__heads__topic=ONE)
    beside = git / "worktrees" / "topic"
    beside.mkdir(parents=True)
    (beside / "HEAD").write_text("ref: refs/heads/topic\n")
    (beside / "commondir").write_text("../..\n")
    copy = tmp_path / "topic"
    copy.mkdir()
    (copy / ".git").write_text(f"gitdir: {beside}\n")

    assert git_commit(copy, {}) == ONE


def test_a_ci_service_is_asked_where_there_is_no_repository(tmp_path):
    assert git_commit(tmp_path, {"GITHUB_SHA": "main", "CI_COMMIT_SHA": OTHER}) == OTHER
    repository(tmp_path, ONE)
    assert git_commit(tmp_path, {"CI_COMMIT_SHA": OTHER}) == ONE


def test_files_that_cannot_be_read_give_no_commit(tmp_path):
    git = repository(tmp_path, "ref: refs/heads/main\n")
    (git / "HEAD").write_bytes(b"\xff\xfe")
    assert git_commit(tmp_path, {}) is None


@pytest.mark.parametrize(
    ("head", "environment", "branch"),
    [
        ("ref: refs/heads/feature/x\n", {"GITHUB_REF_NAME": "main"}, "feature/x"),
        (f"{ONE}\n", {"GITHUB_REF_NAME": "main"}, "main"),
        (f"{ONE}\n", {"GITHUB_HEAD_REF": "topic", "GITHUB_REF_NAME": "7/merge"}, "topic"),
        (f"{ONE}\n", {"GITHUB_HEAD_REF": "", "GITHUB_REF_NAME": "main"}, "main"),
        (f"{ONE}\n", {"GIT_BRANCH": "origin/main"}, "main"),
        (f"{ONE}\n", {}, None),
    ],
    ids=["checked out", "GitHub", "pull request", "push", "Jenkins", "nobody knows"],
)
def test_the_branch_is_the_one_that_is_checked_out(tmp_path, head, environment, branch):
    repository(tmp_path, head)

    assert git_branch(tmp_path, environment) == branch


def test_without_a_repository_there_is_a_branch_only_in_ci(tmp_path):
    assert git_branch(tmp_path, {}) is None
    assert git_branch(tmp_path, {"CI_COMMIT_REF_NAME": "main"}) == "main"
