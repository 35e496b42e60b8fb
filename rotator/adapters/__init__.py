"""The far sides: Salesforce, Vault and the database behind the ports; each vendor library has one home here."""
