"""The decisions: pure functions of facts, policy and day; no I/O, clock, float or randomness."""

RULES_VERSION = "2026.11"
"""Stored with every settlement; a change that alters results changes it and is dated policy."""
