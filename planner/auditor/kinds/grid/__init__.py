"""How the grid connection is audited."""
