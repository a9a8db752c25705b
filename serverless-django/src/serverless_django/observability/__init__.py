"""What the functions say about themselves."""
