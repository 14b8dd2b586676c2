"""Finds out what limits an API: what to send, when to stop, and what to make of the answers."""
