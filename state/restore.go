package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// What Restorable and Restore refuse with, besides ErrAbsent for a copy that is not kept
// and ErrLocked.
var (
	// ErrRunUnderWay: a Run of the object is not finished.
	ErrRunUnderWay = errors.New("a run is under way")
	// ErrOtherLineage: the state that is there does not come from the same beginning.
	ErrOtherLineage = errors.New("the state has another lineage than the copy")
	// ErrCurrent: the state is the one that the copy was made of.
	ErrCurrent = errors.New("the state is that of the copy already")
)

const (
	// operationRestore is what the lock says.
	operationRestore = "restore"
	// statePart is how much of a state the backend puts into one Secret.
	statePart = 1 << 20
)

// Restoration is what Restore would do.
type Restoration struct {
	// Copy is what is put back.
	Copy Copy
	// Current is the state that is there; nil when Fault tells why there is none that
	// could be read, ErrAbsent or ErrUnreadable.
	Current *State
	Fault   error
	// Serial is what the state gets: more than it, or any copy, has had.
	Serial int64

	content []byte
}

// Restorable says what Restore would do, and fails when it would refuse; but nobody has
// the lock yet. With force the lineage makes no difference.
func (s *Store) Restorable(ctx context.Context, key string, serial int64, force bool) (*Restoration, error) {
	if err := s.checkNoRun(ctx, key); err != nil {
		return nil, err
	}
	copies, err := s.History(ctx, key)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(copies, func(c Copy) bool { return c.Serial == serial })
	if i < 0 {
		return nil, fmt.Errorf("%s: %w: no copy of the state with the serial %d is kept", s.object("Secret", CopyName(key, serial)), ErrAbsent, serial)
	}
	r := &Restoration{Copy: copies[i], Serial: serial + 1}
	for _, c := range copies {
		r.Serial = max(r.Serial, c.Serial+1)
	}
	r.Current, r.Fault = s.Read(ctx, key)
	switch {
	case r.Fault == nil:
		r.Serial = max(r.Serial, r.Current.Serial+1)
		if r.Current.isOf(r.Copy) {
			return nil, fmt.Errorf("serial %d: %w", serial, ErrCurrent)
		}
		if r.Current.Lineage != r.Copy.Lineage && !force {
			return nil, fmt.Errorf("serial %d: %w (%s, and the copy %s): resources that one of them has may be lost", serial, ErrOtherLineage, r.Current.Lineage, r.Copy.Lineage)
		}
	case errors.Is(r.Fault, ErrAbsent), errors.Is(r.Fault, ErrUnreadable):
		r.Current = nil
	default:
		return nil, r.Fault
	}
	r.content, err = s.readCopy(ctx, key, r.Copy)
	return r, err
}

// Restore puts a copy back in place of the state, under Terraform's lock, which it takes
// in the name of who, user@host. A state that can be read is copied before, as Keep does.
// It fails with ErrLocked when somebody else has the lock, and as Restorable does.
// Interrupted at any point it can be repeated, once the lock is released.
func (s *Store) Restore(ctx context.Context, key string, serial int64, force bool, who string, now time.Time) (_ *Restoration, err error) {
	lock, err := s.take(ctx, key, &Lock{ID: string(uuid.NewUUID()), Who: who, Operation: operationRestore, Created: now.UTC()})
	if err != nil {
		return nil, err
	}
	defer func() {
		// Also when a person has interrupted us.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = errors.Join(err, s.Unlock(ctx, key, lock))
	}()
	// A run that has begun since finds the lock, and is tried again.
	r, err := s.Restorable(ctx, key, serial, force)
	if err != nil {
		return nil, err
	}
	if r.Current != nil {
		// No other copy is deleted for it: it could be the one to be restored.
		if _, _, err := s.keepCopy(ctx, key, "", now); err != nil {
			return nil, err
		}
	}
	content, err := withSerial(r.content, r.Serial)
	if err != nil {
		return nil, err
	}
	if err := s.writeState(ctx, key, content); err != nil {
		return nil, err
	}
	written, err := s.Read(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("the state was written, and cannot be read back: %w", err)
	}
	if written.Serial != r.Serial || written.Lineage != r.Copy.Lineage {
		return nil, fmt.Errorf("the state was written with the serial %d, and read back with %d: somebody else writes it; look at it before you go on", r.Serial, written.Serial)
	}
	return r, nil
}

// checkNoRun fails while a Run of the key is not finished: its Terraform would go on
// from the state that it has read.
func (s *Store) checkNoRun(ctx context.Context, key string) error {
	var runs v1alpha1.RunList
	err := s.client.List(ctx, &runs, client.InNamespace(s.namespace), client.MatchingLabels{v1alpha1.LabelKey: key})
	if err != nil {
		return object{"Runs", s.namespace, key + "-*"}.apiError("list", err)
	}
	for i := range runs.Items {
		if run := &runs.Items[i]; !run.Status.Phase.Finished() {
			return fmt.Errorf("%w: %s (%s); wait for it, or cancel it", ErrRunUnderWay, run.Name, run.Spec.Operation)
		}
	}
	return nil
}

// take takes the lock as Terraform does.
// Source: https://github.com/hashicorp/terraform/blob/v1.11.4/internal/backend/remote-state/kubernetes/client.go
func (s *Store) take(ctx context.Context, key string, l *Lock) (*Lock, error) {
	info, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("encode the lock: %w", err)
	}
	lease, err := s.lease(ctx, key)
	absent := errors.Is(err, ErrAbsent)
	if err != nil && !absent {
		return nil, err
	}
	o := s.object("Lease", LeaseName(key))
	if absent {
		lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: LeaseName(key), Labels: labels(key)}}
	} else if held := heldBy(lease); held != nil {
		return nil, fmt.Errorf("lock %s: %w by %q since %s, for %s", o, ErrLocked, held.Who, held.Created.UTC().Format(time.RFC3339), held.Operation)
	}
	lease.Spec.HolderIdentity = &l.ID
	metav1.SetMetaDataAnnotation(&lease.ObjectMeta, lockInfo, string(info))
	if absent {
		err = s.client.Create(ctx, lease)
	} else {
		err = s.client.Update(ctx, lease)
	}
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return nil, fmt.Errorf("lock %s: %w: somebody has just taken or released it; try again", o, ErrLocked)
	}
	return l, o.apiError("update", err)
}

// withSerial returns a state file with another serial.
func withSerial(content []byte, serial int64) ([]byte, error) {
	var file map[string]json.RawMessage
	if err := json.Unmarshal(content, &file); err != nil {
		return nil, errors.New("the copy is not a JSON object")
	}
	file["serial"] = fmt.Append(nil, serial)
	return json.Marshal(file)
}

// writeState writes a state as the backend does: in parts, and then without those that
// are left of a larger one. One that is interrupted leaves an unreadable state at worst.
func (s *Store) writeState(ctx context.Context, key string, content []byte) error {
	packed, err := gzipped(content)
	if err != nil {
		return fmt.Errorf("pack the state: %w", err)
	}
	parts := (len(packed) + statePart - 1) / statePart
	for n := range parts {
		if err := s.writePart(ctx, key, n, packed[n*statePart:min((n+1)*statePart, len(packed))]); err != nil {
			return err
		}
	}
	var list corev1.SecretList
	if err := s.client.List(ctx, &list, client.InNamespace(s.namespace), client.MatchingLabels(labels(key))); err != nil {
		return s.object("Secret", SecretName(key)).apiError("list", err)
	}
	for i := range list.Items {
		if n, ok := partNumber(key, list.Items[i].Name); ok && n >= parts {
			if err := s.delete(ctx, "Secret", &list.Items[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// writePart writes one Secret of a state, with the labels that the backend finds it by.
func (s *Store) writePart(ctx context.Context, key string, n int, data []byte) error {
	secret, err := s.secret(ctx, partName(key, n))
	if ignoreAbsent(err) != nil {
		return err
	}
	absent := err != nil
	if absent {
		secret = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: partName(key, n)}}
	}
	for name, value := range labels(key) {
		metav1.SetMetaDataLabel(&secret.ObjectMeta, name, value)
	}
	metav1.SetMetaDataAnnotation(&secret.ObjectMeta, "encoding", "gzip")
	secret.Data = map[string][]byte{dataKey: data}
	o := s.object("Secret", secret.Name)
	if absent {
		return o.apiError("create", s.client.Create(ctx, secret))
	}
	return o.apiError("update", s.client.Update(ctx, secret))
}
