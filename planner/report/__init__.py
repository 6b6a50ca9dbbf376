"""Reports read plans only."""
