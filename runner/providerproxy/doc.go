// Package providerproxy stands between Terraform and a provider. Each Terraform command
// asks a provider for the schemas of all that it has, which with a large one (1500 resource
// types of AWS) takes more time than everything else, and starts it several times over. A
// Proxy asks once, answers with the schemas of the types that a module uses, and passes all
// other calls on as they are. Terraform reaches it as a provider that already runs.
// Source: https://developer.hashicorp.com/terraform/internals/debugging-configuration#running-terraform-with-a-provider-in-debug-mode
package providerproxy
