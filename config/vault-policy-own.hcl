# Added to vault-policy.hcl only where the rotator rotates its own pair (`spare` in [orgs.X]): with the read of that policy it
# may then replace the pair of `admin`. The path of `spare` is covered by the rule for live paths.
# vault policy write rotator-own vault-policy-own.hcl
path "secret/data/salesforce/+/rotator" {
  capabilities = ["create", "update"]
}
