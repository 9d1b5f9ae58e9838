"""Migrations in order of number; a released one never changes."""
