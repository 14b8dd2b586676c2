"""Records that the history did not take, kept in the night's folder until it does.

They lie in `unsent/` under the names that they get in the history, so that nothing of a night is
lost while S3 or a network drive cannot be reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import ToolError
from reports.history.encoding import encoded
from reports.history.folder_store import FolderStore
from reports.history.history import History
from reports.history.names import SUFFIX, object_name
from reports.history.record import Record
from reports.history.store import ObjectUnreadable

UNSENT_NAME = "unsent"


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where a record is: in the history, or where it is `problem` that says why it is not."""

    name: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The names of the records that went to the history, and why others did not."""

    names: tuple[str, ...] = ()
    problem: str | None = None


def append_or_keep(history: History, record: Record, folder: Path) -> Recorded:
    """Records it, or keeps it in `folder`/unsent and says why.

    Raises:
        ToolError: when it can be kept neither here nor there, or is no record that can be written.
    """
    name, data = object_name(record), encoded(record)
    try:
        return Recorded(history.append_bytes(name, data))
    except ToolError as error:
        unsent = folder / UNSENT_NAME
        try:
            History(FolderStore(unsent)).append_bytes(name, data)
        except ToolError as second:
            raise ToolError(f"{error}; and {second}") from error
        problem = f"{error}; it is kept in {unsent} and sent to the history by the next night"
        return Recorded(name, problem)


def send_pending(history: History, folder: Path) -> Sent:
    """Sends what an earlier night kept in `folder`/unsent; what is sent is removed there."""
    unsent = FolderStore(folder / UNSENT_NAME)
    sent: list[str] = []
    problem: str | None = None
    try:
        for entry in unsent.objects(""):
            if not entry.name.endswith(SUFFIX):
                continue
            try:
                data = unsent.read(entry.name)
            except ObjectUnreadable as error:
                problem = str(error)  # the others do not wait for it
                continue
            sent.append(history.append_bytes(entry.name, data))
            unsent.delete(entry.name)
    except ToolError as error:
        problem = str(error)
    return Sent(tuple(sent), problem)


def has_pending(folder: Path) -> bool:
    """Whether the folder of a night has records that the history lacks."""
    unsent = FolderStore(folder / UNSENT_NAME)
    return any(entry.name.endswith(SUFFIX) for entry in unsent.objects(""))


def folders_with_pending(runs: Path) -> list[Path]:
    """The folders of nights below `runs` that have records to send, oldest first."""
    return [
        path.parent
        for path in sorted(runs.glob(f"*-nightly-*/{UNSENT_NAME}"))
        if not path.is_symlink() and has_pending(path.parent)
    ]
