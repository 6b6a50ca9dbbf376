"""Import of published and own benchmark results: a module for each format, and power logs."""
