"""Proposing what the columns of a table are: a type for each, from its name and a sample of its values."""

from privkit.policy.inspect.inspection import Inspection, inspect_file, inspect_table
from privkit.policy.inspect.proposal import Proposal

__all__ = ["Inspection", "Proposal", "inspect_file", "inspect_table"]
