"""The first steps: a configuration from a few answers, and what must be given in Salesforce, Vault and PostgreSQL."""
