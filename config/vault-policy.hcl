# The least that the rotator needs in Vault. Adapt the mount (secret), the prefix of the live paths (salesforce) and the
# escrow prefix (rotator-escrow), then: vault policy write rotator vault-policy.hcl
# Nobody but the rotator should read below the escrow prefix.

# Live paths: what readers use.
path "secret/data/salesforce/*" {
  capabilities = ["create", "read", "update"]
}
# A fence on a path that does not exist yet leaves an empty version, which is hidden again, by number.
path "secret/delete/salesforce/*" {
  capabilities = ["update"]
}
# Settings that could lose a version are looked for; managed_by = rotator is written once in a path's life.
path "secret/metadata/salesforce/*" {
  capabilities = ["read", "patch"]
}

# The rotator's own logins to the orgs: read only. This rule is more exact than the one above and wins.
path "secret/data/salesforce/+/rotator" {
  capabilities = ["read"]
}
path "secret/data/salesforce/+/rotator-responder" {
  capabilities = ["read"]
}

# Escrow: the new pair before Salesforce is told to use it.
path "secret/data/rotator-escrow/*" {
  capabilities = ["create", "read", "update"]
}
path "secret/destroy/rotator-escrow/*" {
  capabilities = ["update"]
}
path "secret/metadata/rotator-escrow/*" {
  capabilities = ["read"]
}

# Settings of the mount.
path "secret/config" {
  capabilities = ["read"]
}

# Our own token: what it may do, how long it lives, and its end. Also in Vault's default policy.
path "sys/capabilities-self" {
  capabilities = ["update"]
}
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
