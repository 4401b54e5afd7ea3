"""What administrators set for the whole site: limits, senders, retention, and what this installation is."""
