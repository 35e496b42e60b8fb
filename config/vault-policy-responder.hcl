# For a host or a person that only answers incidents (`rotator block`, `unblock`, `revoke`) and whose login to the org lies in
# Vault: that login, and nothing else. Where it lies in a file, no Vault is needed at all.
# vault policy write rotator-responder vault-policy-responder.hcl
path "secret/data/salesforce/+/rotator-responder" {
  capabilities = ["read"]
}
# The end of our own token. Also in Vault's default policy.
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
