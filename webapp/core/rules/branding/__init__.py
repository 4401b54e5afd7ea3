"""The brand that mails of the design view stand in: its colours judged, and the frame of tables around what was written."""
