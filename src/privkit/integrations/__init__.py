"""Adapters to other libraries. Nothing else in privkit imports them; each needs the extra of its own name."""
