# Added to vault-policy.hcl only where Vault signs the anchors of the audit trail: `[audit] transit_key = "rotator-audit"`.
# vault secrets enable transit; vault write -f transit/keys/rotator-audit type=ed25519
# vault policy write rotator-audit vault-policy-audit.hcl
path "transit/sign/rotator-audit" {
  capabilities = ["update"]
}
path "transit/keys/rotator-audit" {
  capabilities = ["read"]
}
