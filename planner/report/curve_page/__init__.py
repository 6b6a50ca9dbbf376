"""Curves of the library as tables, and as a page with their picture."""
