"""Whether tonight differs from the nights before: pure statistics, no clock, no files."""
