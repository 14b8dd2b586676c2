"""Verbs of `loadgen` that have a module each: parse, call one function, end with its code."""
