"""Files that go into mails or are shown by them: what may be one, made harmless, and the names by which they are known."""
