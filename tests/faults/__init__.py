"""Proof under faults: real processes against a scripted mail server that writes its own log, then ledger and log are compared.

`python3 -m webapp test --faults [NAME …] [--json FILE] [--short]` runs them; each family is a module listed in `FAMILIES`.
"""
