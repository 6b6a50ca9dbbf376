"""Several futures that one plan must serve."""
