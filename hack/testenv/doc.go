// Package testenv finds or starts what tests need besides Go: an API server,
// Terraform, and the AWS provider. What cannot be had fails the test with a
// message that says how to get it; no test is skipped.
//
//   - KUBEBUILDER_ASSETS is the folder with etcd and kube-apiserver;
//     `export KUBEBUILDER_ASSETS=$(go run ./hack/cluster bin)` builds them.
//   - Terraform is the first one on the PATH of version 1.11 or later, else
//     version 1.11.4, downloaded, verified and kept in the user's cache folder
//     (os.UserCacheDir) under groundwork/terraform.
//   - GROUNDWORK_PROVIDERS is an unpacked filesystem mirror of providers, a folder
//     with registry.terraform.io/hashicorp/aws/<version>/<os>_<arch>/ in it.
//     Without the variable, it is looked for where Terraform itself looks for
//     mirrors (TF_PLUGIN_CACHE_DIR, ~/.terraform.d/plugins,
//     $XDG_DATA_HOME/terraform/plugins, /usr/local/share/terraform/plugins,
//     /usr/share/terraform/plugins), then up to three folders deep in the home
//     folder, /opt, /srv, /usr/local and /var/lib, hidden folders left out.
package testenv
