"""Tuples and how often each occurs: all that a search or a measurement looks at."""
