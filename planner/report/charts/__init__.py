"""One chart a file, and the registry of all."""
