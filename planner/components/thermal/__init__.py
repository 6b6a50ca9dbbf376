"""Thermal units."""
