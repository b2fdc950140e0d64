package audit

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Use is a kind of request that the audit log holds at least once.
type Use struct {
	User, Verb, Group, Resource, Namespace string
	// Named tells that the request was for one object by its name; a list or watch
	// with the field selector metadata.name is.
	Named bool
	// Forbidden tells that the authorizer refused it.
	Forbidden bool
}

func (u Use) String() string {
	return fmt.Sprintf("%s: %s %s in namespace %q", u.User, u.Verb, schema.GroupResource{Group: u.Group, Resource: u.Resource}, u.Namespace)
}

// event is what matters here of an audit event.
// Source: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
type event struct {
	Verb string `json:"verb"`
	User struct {
		Username string `json:"username"`
	} `json:"user"`
	ObjectRef *struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		APIGroup    string `json:"apiGroup"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	Annotations map[string]string `json:"annotations"`
}

// ReadLog returns the different uses in an audit log of JSON lines. Requests that
// are not for resources (discovery, health) are not among them: every user may make
// them.
func ReadLog(log io.Reader) ([]Use, error) {
	var uses []Use
	seen := map[Use]bool{}
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("read the audit log: %w", err)
		}
		if e.ObjectRef == nil {
			continue
		}
		u := Use{
			User: e.User.Username, Verb: e.Verb, Group: e.ObjectRef.APIGroup, Resource: e.ObjectRef.Resource,
			Namespace: e.ObjectRef.Namespace, Named: e.ObjectRef.Name != "",
			Forbidden: e.Annotations["authorization.k8s.io/decision"] == "forbid",
		}
		if e.ObjectRef.Subresource != "" {
			u.Resource += "/" + e.ObjectRef.Subresource
		}
		if !seen[u] {
			seen[u] = true
			uses = append(uses, u)
		}
	}
	return uses, lines.Err()
}
