"""The tables of plans, and the folders that hold them."""
