"""What the command line does, one module per verb; gateway.cli only reads the arguments."""
