"""Readers: each reads one kind of source into records."""
