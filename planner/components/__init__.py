"""What a site is made of: each kind is a frozen value that knows its own mathematics."""
