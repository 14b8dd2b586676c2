"""Stacks: files that describe APIs and their functions, deployed by the public APIs of AWS."""
