"""Delivery: lanes out of the outbox, at least once, done only on the receiver's signed receipt."""
