"""The small Vault: KV v2 and v1, logins, tokens, wrapping, seals, with the JSON shapes of the real one."""
