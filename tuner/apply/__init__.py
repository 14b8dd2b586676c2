"""Applies a recommendation: to `$LATEST`, to an alias at once, or to an alias step by step."""
