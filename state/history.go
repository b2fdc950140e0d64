package state

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// A copy of a state is gzipped, cut into parts that a Secret can hold, and kept in
// Secrets named after its serial. The first has annotations that say what it is, and is
// written last and deleted first, so that a copy is there as a whole or not at all.
const (
	copyPart = 900 << 10
	keyCopy  = "state"

	annotationSerial    = v1alpha1.Group + "/serial"
	annotationLineage   = v1alpha1.Group + "/lineage"
	annotationRun       = v1alpha1.Group + "/run"
	annotationKeptAt    = v1alpha1.Group + "/kept-at"
	annotationResources = v1alpha1.Group + "/resources"
	annotationVersion   = v1alpha1.Group + "/terraform-version"
	annotationSize      = v1alpha1.Group + "/size"
	annotationParts     = v1alpha1.Group + "/parts"
	// annotationChecksum is the SHA-256 of the parts in a row.
	annotationChecksum = v1alpha1.Group + "/checksum"
)

// Copy says what a copy of an earlier state is.
type Copy struct {
	// Serial and Lineage are the state's.
	Serial  int64  `json:"serial"`
	Lineage string `json:"lineage"`
	// Run is the Run that left the state so; empty when it was not a Run's doing.
	Run string `json:"run,omitempty"`
	// KeptAt is when the copy was made.
	KeptAt time.Time `json:"keptAt"`
	// Resources is State.Resources, TerraformVersion the version that wrote it.
	Resources        int    `json:"resources"`
	TerraformVersion string `json:"terraformVersion"`
	// Size is the state file's, in bytes.
	Size int `json:"size"`

	parts    int
	checksum string
}

// CopyName returns the name of the Secret that holds the copy of a state with a serial,
// or its first part.
func CopyName(key string, serial int64) string {
	return fmt.Sprintf("groundwork-state-%s-%d", key, serial)
}

func copyPartName(key string, serial int64, part int) string {
	if part == 0 {
		return CopyName(key, serial)
	}
	return fmt.Sprintf("%s-part-%d", CopyName(key, serial), part)
}

// CopyOf returns the Run that left a state as its copy has it, from the metadata of the
// copy's Secret; empty for any other Secret.
func CopyOf(secret client.Object) string { return secret.GetAnnotations()[annotationRun] }

// IsCopyOf tells whether a Secret, of which this is the metadata, is the copy of a state.
func IsCopyOf(secret client.Object, state *State) bool {
	c, err := parseCopy(secret.GetAnnotations())
	return err == nil && state.isOf(c)
}

// History returns the copies that are kept, newest first.
func (s *Store) History(ctx context.Context, key string) ([]Copy, error) {
	secrets, err := s.copySecrets(ctx, key)
	return copiesIn(key, secrets), err
}

// copySecrets reads the metadata of all Secrets of copies.
func (s *Store) copySecrets(ctx context.Context, key string) ([]metav1.PartialObjectMetadata, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	err := s.client.List(ctx, list, client.InNamespace(s.namespace), client.MatchingLabels{v1alpha1.LabelKey: key}, client.HasLabels{v1alpha1.LabelStateCopy})
	return list.Items, object{"Secrets", s.namespace, "groundwork-state-" + key + "-*"}.apiError("list", err)
}

// copiesIn are the copies that are whole, newest first.
func copiesIn(key string, secrets []metav1.PartialObjectMetadata) []Copy {
	var copies []Copy
	for i := range secrets {
		if c, err := parseCopy(secrets[i].Annotations); err == nil && secrets[i].Name == CopyName(key, c.Serial) {
			copies = append(copies, c)
		}
	}
	slices.SortFunc(copies, func(a, b Copy) int {
		return cmp.Or(b.KeptAt.Compare(a.KeptAt), cmp.Compare(b.Serial, a.Serial))
	})
	return copies
}

// annotations are what parseCopy reads.
func (c *Copy) annotations() map[string]string {
	return map[string]string{
		annotationSerial:    strconv.FormatInt(c.Serial, 10),
		annotationLineage:   c.Lineage,
		annotationRun:       c.Run,
		annotationKeptAt:    c.KeptAt.UTC().Format(time.RFC3339),
		annotationResources: strconv.Itoa(c.Resources),
		annotationVersion:   c.TerraformVersion,
		annotationSize:      strconv.Itoa(c.Size),
		annotationParts:     strconv.Itoa(c.parts),
		annotationChecksum:  c.checksum,
	}
}

func parseCopy(annotations map[string]string) (Copy, error) {
	c := Copy{
		Lineage: annotations[annotationLineage], Run: annotations[annotationRun],
		TerraformVersion: annotations[annotationVersion], checksum: annotations[annotationChecksum],
	}
	var errs [5]error
	c.Serial, errs[0] = strconv.ParseInt(annotations[annotationSerial], 10, 64)
	c.KeptAt, errs[1] = time.Parse(time.RFC3339, annotations[annotationKeptAt])
	c.Resources, errs[2] = strconv.Atoi(annotations[annotationResources])
	c.Size, errs[3] = strconv.Atoi(annotations[annotationSize])
	c.parts, errs[4] = strconv.Atoi(annotations[annotationParts])
	return c, errors.Join(errs[:]...)
}

// readCopy returns the state file of a copy.
func (s *Store) readCopy(ctx context.Context, key string, c Copy) ([]byte, error) {
	first := s.object("Secret", CopyName(key, c.Serial))
	var packed []byte
	for n := range c.parts {
		part, err := s.secret(ctx, copyPartName(key, c.Serial, n))
		if err != nil {
			return nil, err
		}
		packed = append(packed, part.Data[keyCopy]...)
	}
	if checksum(packed) != c.checksum {
		return nil, first.unreadable("the copy is not what was written: its parts do not have the checksum that it notes; restore another one")
	}
	content, err := gunzip(packed)
	if err != nil {
		return nil, first.unreadable("the copy is not gzipped (%v); restore another one", err)
	}
	state, err := parse(content)
	if err != nil {
		return nil, first.unreadable("the copy: %v", err)
	}
	if state.Serial != c.Serial || state.Lineage != c.Lineage {
		return nil, first.unreadable("the copy holds another state than it says; restore another one")
	}
	return content, nil
}

func checksum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func gzipped(b []byte) ([]byte, error) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, err := zip.Write(b)
	err = errors.Join(err, zip.Close())
	return packed.Bytes(), err
}

// isPartOf tells whether a Secret of copies belongs to the copy with the serial.
func isPartOf(key string, serial int64, name string) bool {
	return name == CopyName(key, serial) || strings.HasPrefix(name, CopyName(key, serial)+"-part-")
}
