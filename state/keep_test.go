package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// keepTime is when the copies of the tests are made.
var keepTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// numbered is a state with a serial, a lineage and a resource.
func numbered(serial int, lineage string) string {
	return fmt.Sprintf(`{"version":4,"terraform_version":"1.11.4","serial":%d,"lineage":%q,"outputs":{},"resources":[
		{"mode":"managed","type":"terraform_data","name":"this","provider":"p","instances":[{}]}]}`, serial, lineage)
}

// setState makes a state what is given, in one Secret.
func setState(t *testing.T, c client.Client, state string) {
	t.Helper()
	secret := stateSecret(holding(pack(state)))
	if err := client.IgnoreNotFound(c.Delete(t.Context(), stateSecret())); err != nil {
		t.Fatal(err)
	}
	if err := c.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
}

// keep has a state copied, some minutes after keepTime.
func keep(t *testing.T, store *Store, c client.Client, state string, minutes int) {
	t.Helper()
	setState(t, c, state)
	run := fmt.Sprintf("run-%d", minutes)
	if err := store.Keep(t.Context(), testKey, run, keepTime.Add(time.Duration(minutes)*time.Minute)); err != nil {
		t.Fatal(err)
	}
}

// kept lists the copies, newest first, as "serial lineage run".
func kept(t *testing.T, store *Store) []string {
	t.Helper()
	copies, err := store.History(t.Context(), testKey)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, c := range copies {
		if _, err := store.readCopy(t.Context(), testKey, c); err != nil {
			t.Errorf("copy %d: %v", c.Serial, err)
		}
		all = append(all, fmt.Sprintf("%d %s %s", c.Serial, c.Lineage, c.Run))
	}
	return all
}

func TestStore_Keep(t *testing.T) {
	cases := map[string]struct {
		states []string
		want   []string
	}{
		"One.":                           {[]string{numbered(4, "a")}, []string{"4 a run-0"}},
		"The same again is none.":        {[]string{numbered(4, "a"), numbered(4, "a")}, []string{"4 a run-0"}},
		"The newest three stay.":         {[]string{numbered(8, "a"), numbered(9, "a"), numbered(10, "a"), numbered(12, "a")}, []string{"12 a run-3", "10 a run-2", "9 a run-1"}},
		"A new beginning is newer.":      {[]string{numbered(8, "a"), numbered(9, "a"), numbered(10, "a"), numbered(1, "b")}, []string{"1 b run-3", "10 a run-2", "9 a run-1"}},
		"It takes the place of a serial": {[]string{numbered(8, "a"), numbered(9, "a"), numbered(8, "b")}, []string{"8 b run-2", "9 a run-1"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			store, k8s := newStore(interceptor.Funcs{})
			for i, state := range c.states {
				keep(t, store, k8s, state, i)
			}
			if diff := cmp.Diff(c.want, kept(t, store)); diff != "" {
				t.Errorf("copies (-want +got):\n%s", diff)
			}
			for _, name := range names(t, k8s) {
				if strings.HasPrefix(name, "Secret groundwork-state-") && len(c.want) != len(names(t, k8s))-1 {
					t.Errorf("more is left than the copies: %v", names(t, k8s))
					break
				}
			}
		})
	}
}

// TestStore_Keep_secret looks at what a copy is.
func TestStore_Keep_secret(t *testing.T) {
	store, k8s := newStore(interceptor.Funcs{})
	keep(t, store, k8s, numbered(4, "a"), 0)
	secret, err := store.secret(t.Context(), "groundwork-state-"+testKey+"-4")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{v1alpha1.LabelKey: testKey, v1alpha1.LabelManagedBy: "groundwork", v1alpha1.LabelStateCopy: "4"}
	if diff := cmp.Diff(want, secret.Labels); diff != "" || secret.Immutable == nil || !*secret.Immutable {
		t.Errorf("labels (-want +got):\n%s\nimmutable: %v", diff, secret.Immutable)
	}
	copies, err := store.History(t.Context(), testKey)
	if err != nil {
		t.Fatal(err)
	}
	content := numbered(4, "a")
	wantCopy := []Copy{{
		Serial: 4, Lineage: "a", Run: "run-0", KeptAt: keepTime, Resources: 1, TerraformVersion: "1.11.4", Size: len(content),
		parts: 1, checksum: checksum(secret.Data["state"]),
	}}
	if diff := cmp.Diff(wantCopy, copies, cmp.AllowUnexported(Copy{})); diff != "" {
		t.Errorf("the copy (-want +got):\n%s", diff)
	}
	if CopyOf(secret) != "run-0" || !IsCopyOf(secret, &State{Serial: 4, Lineage: "a"}) || IsCopyOf(secret, &State{Serial: 4, Lineage: "b"}) {
		t.Errorf("CopyOf() = %q, and it is to be the copy of serial 4 of a alone", CopyOf(secret))
	}
	if CopyOf(snapshot()) != "" || IsCopyOf(snapshot(), &State{}) {
		t.Error("a snapshot is taken for a copy")
	}
	// The state itself is read as before: a copy has none of the labels that Terraform
	// selects by.
	if state, err := store.Read(t.Context(), testKey); err != nil || state.Serial != 4 {
		t.Errorf("Read() beside a copy: %+v, %v", state, err)
	}
}

// TestStore_Keep_clock has a clock that goes back: the newest copy is the newest still.
func TestStore_Keep_clock(t *testing.T) {
	store, k8s := newStore(interceptor.Funcs{})
	for serial, minutes := range []int{50, 51, 20, 10} {
		keep(t, store, k8s, numbered(serial, "a"), minutes)
	}
	if diff := cmp.Diff([]string{"3 a run-10", "2 a run-20", "1 a run-51"}, kept(t, store)); diff != "" {
		t.Errorf("copies (-want +got):\n%s", diff)
	}
}

// TestStore_Keep_refused makes no copy of what is no state.
func TestStore_Keep_refused(t *testing.T) {
	cases := map[string]struct {
		objects []client.Object
		funcs   interceptor.Funcs
		err     string
	}{
		"No state.":         {nil, interceptor.Funcs{}, "absent"},
		"An emptied state.": {[]client.Object{stateSecret(holding(nil)), snapshot()}, interceptor.Funcs{}, "unreadable"},
		"Half a state.":     {stateParts(largeState(2<<20), 3)[:2], interceptor.Funcs{}, "unreadable"},
		"Parts of two states.": {
			[]client.Object{stateParts(largeState(2<<20), 2)[0], stateSecret(named(partName(testKey, 1)), holding([]byte("of another")))}, interceptor.Funcs{}, "unreadable"},
		"No JSON.": {[]client.Object{stateSecret(holding(pack("?")))}, interceptor.Funcs{}, "unreadable"},
		"No right to look.": {[]client.Object{stateSecret()}, interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
			return forbidden("secrets", "")
		}}, "forbidden"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			store, k8s := newStore(c.funcs, c.objects...)
			checkError(t, c.err, store.Keep(t.Context(), testKey, "run", keepTime))
			if c.err != "forbidden" && slices.ContainsFunc(names(t, k8s), func(name string) bool { return strings.HasPrefix(name, "Secret groundwork-state-") }) {
				t.Errorf("a copy was made: %v", names(t, k8s))
			}
		})
	}
}

// TestStore_Keep_interrupted cuts the making of a large copy, and the removal of an old
// one, off before each write in turn: a copy is whole or not there, and the next try
// comes to the same end.
func TestStore_Keep_interrupted(t *testing.T) {
	base := largeState(2 << 20) // a copy of two parts
	large := func(serial int) string {
		return strings.Replace(base, `"serial":7`, fmt.Sprintf(`"serial":%d`, serial), 1)
	}
	for allowed := range 20 {
		left := -1
		cut := func() error {
			if left == 0 {
				return errors.New("killed")
			}
			left--
			return nil
		}
		store, k8s := newStore(interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
				return errors.Join(cut(), c.Create(ctx, obj, opts...))
			},
			Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
				if err := cut(); err != nil {
					return err
				}
				return c.Delete(ctx, obj, opts...)
			},
		})
		for serial := range 3 {
			keep(t, store, k8s, large(serial), serial)
		}
		setState(t, k8s, oneResource)
		if err := k8s.Delete(t.Context(), stateSecret()); err != nil {
			t.Fatal(err)
		}
		for _, part := range stateParts(large(9), 4) {
			if err := k8s.Create(t.Context(), part); err != nil {
				t.Fatal(err)
			}
		}
		left = allowed
		err := store.Keep(t.Context(), testKey, "run-9", keepTime.Add(time.Hour))
		left = -1
		if err == nil && allowed == 0 {
			t.Fatal("Keep() without a write did not fail")
		}
		kept(t, store) // fails when one is not whole
		if again := store.Keep(t.Context(), testKey, "run-9", keepTime.Add(3*time.Hour)); again != nil {
			t.Fatalf("Keep() after one with %d writes: %v", allowed, again)
		}
		want := []string{"9 large run-9", "2 large run-2", "1 large run-1"}
		if diff := cmp.Diff(want, kept(t, store)); diff != "" {
			t.Errorf("copies after one with %d writes (-want +got):\n%s", allowed, diff)
		}
		if err == nil {
			return // it has needed no more writes
		}
	}
	t.Error("Keep() does not come to an end")
}

// TestStore_Keep_leftovers has parts that a writer has left without a first one.
func TestStore_Keep_leftovers(t *testing.T) {
	part := func(serial int, age time.Duration) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
			Namespace: testNamespace, Name: copyPartName(testKey, int64(serial), 1), CreationTimestamp: metav1.NewTime(keepTime.Add(-age)),
			Labels: map[string]string{v1alpha1.LabelKey: testKey, v1alpha1.LabelManagedBy: "groundwork", v1alpha1.LabelStateCopy: fmt.Sprint(serial)},
		}}
	}
	store, k8s := newStore(interceptor.Funcs{}, part(1, 2*time.Hour), part(2, time.Minute))
	keep(t, store, k8s, numbered(4, "a"), 0)
	want := []string{
		"Secret groundwork-state-" + testKey + "-2-part-1", "Secret groundwork-state-" + testKey + "-4", "Secret tfstate-default-" + testKey,
	}
	if diff := cmp.Diff(want, names(t, k8s)); diff != "" {
		t.Errorf("only what nobody can be writing any more goes (-want +got):\n%s", diff)
	}
}
