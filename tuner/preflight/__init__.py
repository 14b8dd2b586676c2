"""`tune preflight`: what would keep a run from being made, or spoil it, before anything is spent.

`reading` and `permissions` ask AWS; the modules of checks judge what came back, and are pure.
"""
