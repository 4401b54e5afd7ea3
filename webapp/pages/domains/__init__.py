"""Settings, Domains: whether receivers believe mails from our domains, and our keys that sign them."""
