"""Quotas of usage plans: what a run uses of them, the guard, and when production uses them up."""
