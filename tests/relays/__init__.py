"""Real mail servers as relays: `python3 -m webapp test --relays`. Each has its own configuration, users, queue and port; none delivers
anywhere but into a Maildir of the test."""
