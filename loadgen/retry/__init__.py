"""Modelled clients that send again what was refused, as AWS SDKs do, and what that amounts to."""
