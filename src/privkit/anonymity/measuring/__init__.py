"""Measuring a table as it is: its classes, its risks, its level by GB/T 42460, and the report of them."""
