"""The verbs of `tune`, a module each, whose `command` parses and calls one function.

They import nothing heavy at module level: `--help` must answer at once.
"""
