"""Anonymity of tables: frequency sets, hierarchies, k, l and t, and the plans that reach them."""

from privkit.anonymity.anonymiser import Anonymiser
from privkit.anonymity.counting.frequency import FrequencySet
from privkit.anonymity.hierarchies.hierarchy import Hierarchy
from privkit.anonymity.measuring.gbt42460 import grade
from privkit.anonymity.measuring.measurement import Measurement, measure
from privkit.anonymity.measuring.report import html_report
from privkit.anonymity.metrics import Report
from privkit.anonymity.plan import Plan

__all__ = [
    "Anonymiser",
    "FrequencySet",
    "Hierarchy",
    "Measurement",
    "Plan",
    "Report",
    "grade",
    "html_report",
    "measure",
]
