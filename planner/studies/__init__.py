"""Studies: ordinary functions from scenarios to plans."""
