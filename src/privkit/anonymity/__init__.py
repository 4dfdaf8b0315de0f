"""Anonymity of tables: frequency sets, hierarchies, k, l and t, and the plans that reach them."""

from privkit.anonymity.frequency import FrequencySet
from privkit.anonymity.hierarchy import Hierarchy
from privkit.anonymity.measurement import Measurement, measure

__all__ = ["FrequencySet", "Hierarchy", "Measurement", "measure"]
