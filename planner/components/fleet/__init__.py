"""GPU fleets."""
