"""The house rules as functions over source text, so that each fault can be planted and found."""
