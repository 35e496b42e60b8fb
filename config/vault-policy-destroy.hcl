# Added to vault-policy.hcl only where old versions of live paths are to be destroyed: `destroy_old = "always"`, or
# forced rotations. Without it a forced rotation is not proven as far as Vault is concerned.
# vault policy write rotator-destroy vault-policy-destroy.hcl
path "secret/destroy/salesforce/*" {
  capabilities = ["update"]
}
