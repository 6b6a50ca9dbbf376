"""Analyses of the table of cases alone, no solver."""
