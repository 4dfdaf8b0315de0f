"""Searches for a recoding that meets the models at the least cost, and its application to a table."""
