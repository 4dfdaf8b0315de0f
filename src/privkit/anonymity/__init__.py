"""Anonymity of tables: frequency sets, hierarchies, k, l and t, and the plans that reach them."""

from privkit.anonymity.anonymiser import Anonymiser
from privkit.anonymity.frequency import FrequencySet
from privkit.anonymity.hierarchy import Hierarchy
from privkit.anonymity.measurement import Measurement, measure
from privkit.anonymity.metrics import Report
from privkit.anonymity.plan import Plan
from privkit.anonymity.report import html_report

__all__ = ["Anonymiser", "FrequencySet", "Hierarchy", "Measurement", "Plan", "Report", "html_report", "measure"]
