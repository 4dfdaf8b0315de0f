"""The typed catalogue: what a value is."""
