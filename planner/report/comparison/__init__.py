"""Two plans, or two cases of a sweep, side by side."""
