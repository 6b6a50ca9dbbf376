"""Audit of a fleet."""
