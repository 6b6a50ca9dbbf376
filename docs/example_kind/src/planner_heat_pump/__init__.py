"""A heat pump with a hot-water tank, as a kind of component for dispatch plans."""
