"""Fleets as they were measured: curves of hardware serving models, and servers at the wall."""
