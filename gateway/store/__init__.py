"""The memory: every query, one transaction per message, personal data under keys of its own."""
