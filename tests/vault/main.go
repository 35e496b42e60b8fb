// Command vault is HashiCorp's own Vault server, built to be tested against and never shipped (BUSL 1.1).
package main

import (
	"os"

	"github.com/hashicorp/vault/command"
)

func main() {
	os.Exit(command.Run(os.Args[1:]))
}
