"""A scenario: read, changed by path, checked once."""
