"""Token services."""
