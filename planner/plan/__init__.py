"""A plan in its user's hands."""
