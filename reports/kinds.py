"""The kinds of result documents that there are, by the `kind` that each of them carries.

Models are imported when they are asked for: a command line that only checks options needs none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from reports.document import TuneDocument
    from reports.limits_document import LimitsDocument
    from reports.load_document import LoadDocument
    from reports.nightly.document import NightlyDocument

Document: TypeAlias = "TuneDocument | LoadDocument | LimitsDocument | NightlyDocument"

RunDocument: TypeAlias = "TuneDocument | LoadDocument | LimitsDocument"  # not of a whole night

KINDS = ("tune", "load", "limits", "nightly")


def model_of(kind: str) -> type[Document]:
    """The model of a kind, one of `KINDS`."""
    if kind == "load":
        from reports.load_document import LoadDocument

        return LoadDocument
    if kind == "limits":
        from reports.limits_document import LimitsDocument

        return LimitsDocument
    if kind == "nightly":
        from reports.nightly.document import NightlyDocument

        return NightlyDocument
    from reports.document import TuneDocument

    return TuneDocument
