"""From a scenario to a program in arrays, and from a program to a point."""
