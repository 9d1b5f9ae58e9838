"""The numbers of the law: dated values, each with its article (see README.md)."""
