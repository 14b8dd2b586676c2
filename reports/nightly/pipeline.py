"""What a CI service is told at the end of a night, by which service it is.

GitHub takes a summary and annotations. GitLab, Jenkins and CodeBuild read the JUnit file of the
night instead, and nothing else is said to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from core.console import Console
from core.errors import InputError
from reports.nightly.annotations import night_annotations
from reports.nightly.document import NightlyDocument
from reports.nightly.plan import NightlyPlan
from reports.nightly.step_summary import append_summary

Service = Literal["github", "gitlab", "jenkins", "codebuild", "none"]

# A summary is read on a small part of a page; the report has the rest.
_MOST_ROWS = 20


def service_of(env: Mapping[str, str]) -> Service:
    """Which CI service this runs in, by the variables that each of them sets."""
    if env.get("GITHUB_ACTIONS") == "true":
        return "github"
    if env.get("GITLAB_CI") == "true":
        return "gitlab"
    if env.get("JENKINS_URL"):
        return "jenkins"
    return "codebuild" if env.get("CODEBUILD_BUILD_ID") else "none"


def tell_pipeline(
    document: NightlyDocument, plan: NightlyPlan, env: Mapping[str, str], console: Console
) -> list[str]:
    """Tells the CI service of the night; notes of what could not be told.

    Nothing of this changes how the night ended.
    """
    notes = []
    summary = env.get("GITHUB_STEP_SUMMARY")
    if summary:
        note = _summarised(document, Path(summary))
        notes += [note] if note else []
    if service_of(env) == "github":
        root = Path(env.get("GITHUB_WORKSPACE") or ".")
        annotations, more = night_annotations(document, plan, root)
        for annotation in annotations:
            console.instruct(annotation.text())
        notes += more
    return notes


def _summarised(document: NightlyDocument, path: Path) -> str | None:
    """What went wrong with the summary; None where it is written."""
    from reports.nightly_page.markdown import night_markdown

    try:
        return append_summary(path, night_markdown(document, most_rows=_MOST_ROWS))
    except InputError as reason:
        return f"the summary of the job: {reason}"
