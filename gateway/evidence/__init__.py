"""Evidence: one leaf per transaction, committing to what was received, answered and changed."""
