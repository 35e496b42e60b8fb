"""The difficult Salesforce: its records, its rules, and the HTTP face of both."""
