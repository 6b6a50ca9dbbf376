"""What a plan is: tables, and the folder that holds them."""
