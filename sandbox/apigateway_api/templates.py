"""Which mapping templates the sandbox can fill in: text with references, and no VTL directives."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.apigateway_api.refusing import bad_request

_DIRECTIVE = re.compile(
    r"#(?:[#*]|\{?(?:set|if|elseif|else|end|foreach|macro|define|include|parse|stop|break|evaluate)"
    r"\b)"
)
_REFERENCE = re.compile(r"\$!?\{?[A-Za-z]")
_SERVED = re.compile(
    r"""\$(?:
        context\.[A-Za-z0-9_.-]+
      | stageVariables\.[A-Za-z0-9_]+
      | \{stageVariables\.[A-Za-z0-9_]+\}
      | input\.params\(\s*(?:'[^']+'|"[^"]+")\s*\)
      | input\.(?:path|json)\(\s*(?:'[^']+'|"[^"]+")\s*\)
      | input\.body\b
    )""",
    re.VERBOSE,
)
_WHAT_IS = (
    "the sandbox fills in $context.*, $input.params('x'), $input.path('x'), $input.json('x'), "
    "$input.body and $stageVariables.x, and runs no VTL directives"
)


def check_templates(templates: Mapping[str, str]) -> None:
    """Refuses templates that would come out differently from AWS's.

    Raises:
        ApiError: one has a directive, or a reference that the sandbox does not know.
    """
    for content_type, text in templates.items():
        if found := _unserved(text):
            raise bad_request(
                f"Invalid mapping template for {content_type}: {found} is not served ({_WHAT_IS})"
            )


def _unserved(text: str) -> str | None:
    """The first thing in a template that cannot be filled in."""
    if directive := _DIRECTIVE.search(text):
        return directive[0]
    for reference in _REFERENCE.finditer(text):
        if _SERVED.match(text, reference.start()) is None:
            return text[reference.start() : reference.start() + 40].split()[0]
    return None
