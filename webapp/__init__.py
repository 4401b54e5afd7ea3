"""The Mass Mail tool. Importing this package imports nothing else, so that `webapp.core` never drags Flask in."""
