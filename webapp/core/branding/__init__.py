"""How mails look: the brand of the business, and of senders that have one of their own."""
