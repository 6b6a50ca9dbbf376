"""Plans and sweeps as people see them."""
