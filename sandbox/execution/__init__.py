"""Runs Lambda functions: execution environments, their CPU and memory, and modelled functions."""
