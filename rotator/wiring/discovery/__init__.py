"""`discover`: every app of an org, whoever knows of it, and how it stands to the configuration. Changes nothing.

Salesforce is asked for keys, never for a secret. Of a managed app the live path is read, to compare keys.
"""
