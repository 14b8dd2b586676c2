"""Reads the functions of a template from a file; what kind it is, its content says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path as FilePath

from core.errors import InputError, InputErrors
from core.located_yaml import Document, Path, Problem, Unreadable, read_document, read_text
from tuner.several import cloudformation, serverless
from tuner.several.listed import Around, Listing

_EXPECTED = "expected a SAM or CloudFormation template, or a serverless.yml"


def read_stack_file(file: str, around: Around) -> Listing:
    """The functions that a template lists, with the names that it tells.

    Raises:
        InputError: when it cannot be read, is no template, or lists no function; a line for each
            fault, with its place.
    """
    text = read_text(FilePath(file))
    if text.lstrip().startswith("{"):
        # JSON may be indented with tabs and YAML may not; in texts JSON has none.
        text = text.replace("\t", " ")
    try:
        document = read_document(text, is_template=True)
    except Unreadable as error:
        raise InputErrors([problem.text(file) for problem in error.problems]) from error
    looked_at, functions_of = _kind(document, file)
    faults = [
        problem.text(file)
        for problem in sorted(document.problems)
        if _matters(problem, looked_at(document))
    ]
    if faults:
        raise InputErrors(faults)
    if around.stage is not None and functions_of is not serverless.functions_of:
        raise InputError(
            f"--stage: only used with a serverless.yml, and {file} is a CloudFormation template"
        )
    listing = functions_of(document, file, around)
    if not listing.functions:
        raise InputError(f"--stack: {file} has no Lambda function in it")
    return listing


_LookedAt = Callable[[Document], list[Path]]
_FunctionsOf = Callable[[Document, str, Around], Listing]


def _kind(document: Document, file: str) -> tuple[_LookedAt, _FunctionsOf]:
    """What reads such a document.

    Raises:
        InputError: when it is neither of what can be read.
    """
    value = document.value
    if not isinstance(value, dict):
        raise InputError(f"--stack: {file}: {_EXPECTED}")
    if isinstance(value.get("Resources"), dict):
        return cloudformation.looked_at, cloudformation.functions_of
    if "service" in value and "provider" in value:
        provider = document.at(("provider", "name")) or value["provider"]
        if provider != "aws":
            place = document.place(("provider",))
            raise InputError(
                f"{file}:{place.line}:{place.column}: provider: expected aws (got {provider!r})"
            )
        return serverless.looked_at, serverless.functions_of
    raise InputError(
        f"--stack: {file}: {_EXPECTED} (it has neither Resources, nor service and provider)"
    )


def _matters(problem: Problem, looked_at: Sequence[Path]) -> bool:
    """Whether a problem is at, above or below something that the names depend on."""
    at = problem.path
    return any(at[: len(path)] == path or path[: len(at)] == at for path in looked_at)
