"""A disk that is full for a while."""

from __future__ import annotations


class FullDisk:
    """A file that takes so many more bytes, and then none until there is room again."""

    def __init__(self, file):
        self.file = file
        self.room = None

    def write(self, data):
        if self.room == 0:
            raise OSError(28, "No space left on device")
        taken = len(data) if self.room is None else min(self.room, len(data))
        if self.room is not None:
            self.room -= taken
        return self.file.write(bytes(data[:taken]))

    def __getattr__(self, name):
        return getattr(self.file, name)
