"""Import of clients, services and addons from CSV files: read, map, check, and take over all at once."""
