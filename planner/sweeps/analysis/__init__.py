"""What a table of cases says: analyses of the table alone, no solver."""
