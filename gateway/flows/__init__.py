"""The story: one file per command. Load facts, ask the rule, describe one transaction."""
