"""The words: frozen dataclasses, enums and money, of the standard library only."""
