"""The content of a mail: its tags and what they become for each client, previews of it, and trial sends."""
