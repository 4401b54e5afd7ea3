"""Judgements: pure functions and enums, values in, values out."""
