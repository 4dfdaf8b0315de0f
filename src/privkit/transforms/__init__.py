"""Transforms: what turns a value into a protected form."""
