"""From values to what generalises them: labels, numbers, dates and places, by level."""
