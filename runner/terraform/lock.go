package terraform

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// lockInfo is what Terraform says of whoever holds a state's lock.
// Source: https://github.com/hashicorp/terraform/blob/v1.11.4/internal/states/statemgr/locker.go (LockInfo)
type lockInfo struct {
	ID        string
	Operation string
	Who       string
	Created   time.Time
}

// lockInfoAnnotation is where the kubernetes backend keeps the lockInfo.
const lockInfoAnnotation = "app.terraform.io/lock-info"

// foreignLock reads the holder of the lock from the errors of a command that
// could not get it; nil when none is about that. The errors differ in their
// summaries, but all hold the lockInfo in the same form.
func foreignLock(errors []v1alpha1.Diagnostic) *lockInfo {
	for _, d := range errors {
		text := d.Summary + "\n" + d.Detail
		if id := lockField(text, "ID"); id != "" && strings.Contains(text, "Lock Info:") {
			created, _ := time.Parse("2006-01-02 15:04:05.999999999 -0700 MST", lockField(text, "Created"))
			return &lockInfo{ID: id, Operation: lockField(text, "Operation"), Who: lockField(text, "Who"), Created: created}
		}
	}
	return nil
}

func lockField(text, name string) string {
	match := regexp.MustCompile(`(?m)^\s*` + name + `:[ \t]*(.*)$`).FindStringSubmatch(text)
	if match == nil {
		return ""
	}
	return strings.TrimSpace(match[1])
}

func (l *lockInfo) String() string {
	s := "the state is locked by " + l.Who
	if !l.Created.IsZero() {
		s += " since " + l.Created.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("%s (%s, lock %s)", s, l.Operation, l.ID)
}

// ownLock returns the ID of the state's lock if a Terraform of this runner has
// left it held, and "" otherwise: Terraform names the host, which in a pod is
// the pod's name, and that is never used again.
func (s *session) ownLock(ctx context.Context) (string, error) {
	backend, err := parseBackend(s.req.Backend)
	if err != nil {
		return "", err
	}
	name, err := backend.lease()
	if err != nil {
		return "", err
	}
	lease := &coordinationv1.Lease{}
	switch err := s.client.Get(ctx, name, lease); {
	case isGone(err):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("read the lock: %w", err)
	}
	var info lockInfo
	if lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" {
		return "", nil
	}
	if err := json.Unmarshal([]byte(lease.Annotations[lockInfoAnnotation]), &info); err != nil {
		return "", fmt.Errorf("read the lock: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("read the host name: %w", err)
	}
	if !strings.HasSuffix(info.Who, "@"+host) || info.Created.Before(s.started) {
		return "", nil
	}
	return info.ID, nil
}
