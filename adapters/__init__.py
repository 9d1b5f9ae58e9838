"""Between the outside and the domain: each folder reads and writes one format."""
