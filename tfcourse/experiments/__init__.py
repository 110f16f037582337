"""Experiments: run things and return the numbers, for figures to draw and claims to judge."""
