"""Horizons, series in every form a scenario may write them, and schedules."""
