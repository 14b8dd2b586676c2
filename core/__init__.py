"""Shared ground of the toolkit: errors, console, and what it knows about AWS."""
