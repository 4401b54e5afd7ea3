"""Domains that mails come from: what DNS says of them, and our keys that sign for them. Nothing else writes `domain_check`, `mail_route`
and `dkim_key`."""
