package state

import (
	"crypto/sha256"
	"encoding/json"
	"math/big"
	"strings"
)

const (
	// workspace is the only Terraform workspace in use.
	workspace = "default"
	// maxPrefix and hashLength keep a key at 48 characters or less: a run's name
	// is the key and a number, and a pod's host name has 63 characters at most.
	maxPrefix  = 31
	hashLength = 16
)

// Key returns the name under which the state of an Infrastructure is kept: a DNS
// label of at most 48 characters, readable, distinct for distinct objects, the
// same for a re-created one.
//
// It ends in letters, because the backend takes "-<digits>" at the end of a
// Secret's name for the number of a part.
func Key(namespace, name string) string {
	prefix := strings.ReplaceAll(strings.ToLower(namespace+"-"+name), ".", "-")
	if len(prefix) > maxPrefix {
		prefix = prefix[:maxPrefix]
	}
	// No namespace contains a slash, so no two objects hash the same text.
	return strings.TrimRight(prefix, "-") + "-" + letters(namespace+"/"+name, hashLength)
}

// previewHashLength is what is left of a pod's host name.
const previewHashLength = 63 - maxPrefix - 1 - hashLength - len(previewInfix)

const previewInfix = "-preview-"

// PreviewName returns the name of the run that makes the plan for the Preview with that
// UID, of the Infrastructure with that key: always the same one, of at most 63 characters.
// What it has before its last hyphen is no state's key: the pod may write to none.
func PreviewName(key, uid string) string {
	return key + previewInfix + letters(uid, previewHashLength)
}

// letters hashes s to n letters, at most 54: 16 are 75 bits.
func letters(s string, n int) string {
	sum := sha256.Sum256([]byte(s))
	rest, base, digit := new(big.Int).SetBytes(sum[:]), big.NewInt(26), new(big.Int)
	out := make([]byte, n)
	for i := range out {
		rest.DivMod(rest, base, digit)
		out[i] = 'a' + byte(digit.Int64())
	}
	return string(out)
}

// SecretName returns the name of the Secret that holds the state, or its first
// part.
func SecretName(key string) string { return "tfstate-" + workspace + "-" + key }

// LeaseName returns the name of the Lease that is the state's lock.
func LeaseName(key string) string { return "lock-" + SecretName(key) }

// SnapshotName returns the name of the Secret that holds what the state was last
// changed with.
func SnapshotName(key string) string { return "groundwork-snapshot-" + key }

// Backend returns a Terraform JSON file that configures the backend for a pod in
// the cluster.
//
// It sets no labels: the backend selects the state by all of them, and would
// start an empty state when they change.
func Backend(namespace, key string) json.RawMessage {
	type object = map[string]any
	b, err := json.Marshal(object{"terraform": object{"backend": object{"kubernetes": object{
		"secret_suffix":     key,
		"namespace":         namespace,
		"in_cluster_config": true,
	}}}})
	if err != nil {
		panic(err) // strings and a bool
	}
	return b
}

// labels are what the backend selects the Secrets of a state by.
func labels(key string) map[string]string {
	return map[string]string{
		"tfstate":                      "true",
		"tfstateSecretSuffix":          key,
		"tfstateWorkspace":             workspace,
		"app.kubernetes.io/managed-by": "terraform",
	}
}
