"""What a hook can be, and how each kind is checked, run and ended.

A command (`command.py`), a Python function in a process of its own (`python.py`, `worker.py`), or
a Lambda (`on_lambda.py`).
"""
