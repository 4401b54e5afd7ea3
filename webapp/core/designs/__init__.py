"""Templates: layouts and messages that a mail can be started from, with their versions."""
