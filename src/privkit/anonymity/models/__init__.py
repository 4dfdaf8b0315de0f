"""What is asked of classes of records: k, l, t and delta, counted, bounded and required."""
