"""Seeded identity numbers told to a gateway, and the search for them in all that it keeps."""
