"""What looks at the program's own source: for whoever works on it."""
