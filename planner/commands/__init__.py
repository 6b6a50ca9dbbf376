"""The commands, by what they work on; `planner.cli` puts them together."""
