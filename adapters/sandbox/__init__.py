"""沙箱 Parties to try the gateway with: a hospital's HIS, a carrier and the agency's core
system, over the same public interfaces as the real ones."""
