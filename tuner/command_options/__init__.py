"""The options of `tune` as its help shows them, by heading.

They import typer and nothing else that takes time.
"""
