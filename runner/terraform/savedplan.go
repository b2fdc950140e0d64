package terraform

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// A saved plan is gzipped, cut into parts that a Secret can hold, and kept in Secrets
// named after the Run that made it; the first holds the index too, and is written
// last, so that a plan is there as a whole or not at all.
const (
	planPart  = 900 << 10
	keyPlan   = "plan"
	keyIndex  = "index.json"
	planInfix = "-plan"
)

// planIndex says what a saved plan is.
type planIndex struct {
	ID string `json:"id"`
	// Inputs is the digest of what it was made from.
	Inputs string `json:"inputs"`
	// State is the version of the state's Secret that it was made on; empty when
	// there was none.
	State string `json:"state"`
	Parts int    `json:"parts"`
	// Checksum is the SHA-256 of the parts in a row.
	Checksum string `json:"checksum"`
}

// errNoSavedPlan says why a saved plan cannot be applied.
var errNoSavedPlan = errors.New("the saved plan cannot be applied")

func planSecret(run string, part int) string {
	if part == 0 {
		return run + planInfix
	}
	return run + planInfix + "-part-" + strconv.Itoa(part)
}

// savePlan keeps the plan in the working directory for a run that is approved.
func (s *session) savePlan(ctx context.Context, id string) error {
	packed, err := packFile(s.cfg.path(planFile))
	if err != nil {
		return err
	}
	version, err := s.stateVersion(ctx)
	if err != nil {
		return err
	}
	parts := (len(packed) + planPart - 1) / planPart
	index, err := json.Marshal(planIndex{
		ID: id, Inputs: s.req.InputsDigest, State: version, Parts: parts, Checksum: checksum(packed),
	})
	if err != nil {
		return fmt.Errorf("encode the plan's index: %w", err)
	}
	for i := parts - 1; i >= 0; i-- {
		data := map[string][]byte{keyPlan: packed[i*planPart : min((i+1)*planPart, len(packed))]}
		if i == 0 {
			data[keyIndex] = index
		}
		err := retry(ctx, recordPatience, func(ctx context.Context) error { return s.writePlanPart(ctx, i, data) })
		if err != nil {
			return fmt.Errorf("save the plan in Secret %s: %w", planSecret(s.run.Name, i), err)
		}
	}
	return nil
}

func (s *session) writePlanPart(ctx context.Context, part int, data map[string][]byte) error {
	labels := maps.Clone(s.req.Labels)
	labels[v1alpha1.LabelPlan] = s.run.Name
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.run.Namespace, Name: planSecret(s.run.Name, part), Labels: labels},
		Immutable:  ptr.To(true),
		Data:       data,
	}
	// A try whose answer was lost has written the same.
	return permanent(client.IgnoreAlreadyExists(s.client.Create(ctx, secret)))
}

// restorePlan puts the approved plan into the working directory. An errNoSavedPlan
// says that it is gone, or was made from something else: then another is to be made.
func (s *session) restorePlan(ctx context.Context) error {
	run := s.run.Spec.Approved.Run
	first, err := s.readPlanPart(ctx, run, 0)
	if err != nil {
		return err
	}
	var index planIndex
	if err := json.Unmarshal(first[keyIndex], &index); err != nil {
		return fmt.Errorf("%w: Secret %s has no index", errNoSavedPlan, planSecret(run, 0))
	}
	version, err := s.stateVersion(ctx)
	switch {
	case err != nil:
		return err
	case index.ID != s.run.Spec.Approved.ID || index.Inputs != s.req.InputsDigest:
		return fmt.Errorf("%w: it was made from other inputs", errNoSavedPlan)
	case index.State != version:
		return fmt.Errorf("%w: the state has changed since", errNoSavedPlan)
	}
	packed := first[keyPlan]
	for i := 1; i < index.Parts; i++ {
		data, err := s.readPlanPart(ctx, run, i)
		if err != nil {
			return err
		}
		packed = append(packed, data[keyPlan]...)
	}
	if checksum(packed) != index.Checksum {
		return fmt.Errorf("%w: its parts do not have the checksum of its index", errNoSavedPlan)
	}
	return unpackFile(packed, s.cfg.path(planFile))
}

func (s *session) readPlanPart(ctx context.Context, run string, part int) (map[string][]byte, error) {
	secret := &corev1.Secret{}
	err := retry(ctx, recordPatience, func(ctx context.Context) error {
		secret = &corev1.Secret{}
		return permanent(s.client.Get(ctx, types.NamespacedName{Namespace: s.run.Namespace, Name: planSecret(run, part)}, secret))
	})
	if isGone(err) {
		return nil, fmt.Errorf("%w: Secret %s is gone", errNoSavedPlan, planSecret(run, part))
	}
	if err != nil {
		return nil, fmt.Errorf("read the saved plan: %w", err)
	}
	return secret.Data, nil
}

// stateVersion is the resource version of the state's Secret, which changes with
// every write; empty when there is none.
func (s *session) stateVersion(ctx context.Context) (string, error) {
	backend, err := parseBackend(s.req.Backend)
	if err != nil {
		return "", err
	}
	name, err := backend.secret()
	if err != nil {
		return "", err
	}
	secret := &metav1.PartialObjectMetadata{}
	err = retry(ctx, recordPatience, func(ctx context.Context) error {
		secret = &metav1.PartialObjectMetadata{}
		secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
		return permanent(s.client.Get(ctx, name, secret))
	})
	if isGone(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the state's version: %w", err)
	}
	return secret.ResourceVersion, nil
}

func packFile(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, err = zip.Write(content)
	if err := errors.Join(err, zip.Close()); err != nil {
		return nil, fmt.Errorf("pack the plan: %w", err)
	}
	return b.Bytes(), nil
}

func unpackFile(packed []byte, path string) error {
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return fmt.Errorf("unpack the plan: %w", err)
	}
	content, err := io.ReadAll(zip)
	if err != nil {
		return fmt.Errorf("unpack the plan: %w", err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("unpack the plan: %w", err)
	}
	return nil
}

func checksum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
