"""What is wrong with a query."""

from __future__ import annotations


class QueryError(Exception):
    """When a query cannot be run; `start` and `end` are offsets of characters in its text."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
