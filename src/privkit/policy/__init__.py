"""Policies: what the columns of a table are, and what each purpose gets of them."""

from privkit.policy.anonymity import Anonymity
from privkit.policy.model import PolicyField, Treatment, View
from privkit.policy.policy import Policy
from privkit.policy.view import Applied, BoundView, ColumnReport

__all__ = ["Anonymity", "Applied", "BoundView", "ColumnReport", "Policy", "PolicyField", "Treatment", "View"]
