"""Audits of the kinds of component."""
