"""Pseudonymisation and field encryption for customer data, one value at a time or a hundred million."""
