"""What is not known a day ahead: the members of a scenario, each a possible future."""
