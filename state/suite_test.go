package state

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

const (
	testNamespace = "groundwork-system"
	testKey       = "shop-orders-abcdefghijklmnop"
	// emptyState is what the backend leaves behind after a destroy.
	emptyState = `{"version":4,"terraform_version":"1.11.4","serial":3,"lineage":"l","outputs":{},"resources":[],"check_results":null}`
	// oneResource is a state that a destroy still has work with.
	oneResource = `{"version":4,"terraform_version":"1.11.4","serial":2,"lineage":"l","outputs":{},"resources":[
		{"mode":"managed","type":"terraform_data","name":"this","provider":"p","instances":[{"schema_version":0}]}]}`
)

func testScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	return scheme
}

// newStore returns a Store on a fake client that holds the objects.
func newStore(funcs interceptor.Funcs, objects ...client.Object) (*Store, client.Client) {
	c := fake.NewClientBuilder().WithScheme(testScheme()).WithObjects(objects...).WithInterceptorFuncs(funcs).Build()
	return NewStore(c, testNamespace), c
}

// pack gzips a state.
func pack(state string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(state)); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// largeState is a valid state that does not compress, of about size bytes.
func largeState(size int) string {
	noise := make([]byte, size)
	source := rand.NewChaCha8([32]byte{1})
	for i := range noise {
		noise[i] = 'A' + byte(source.Uint64()%26)
	}
	b, err := json.Marshal(map[string]any{
		"version": 4, "terraform_version": "1.11.4", "serial": 7, "lineage": "large",
		"outputs": map[string]any{"noise": map[string]any{"value": string(noise), "type": "string"}},
	})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// secretModifier changes a Secret that a builder makes.
type secretModifier func(*corev1.Secret)

func named(name string) secretModifier { return func(s *corev1.Secret) { s.Name = name } }

func holding(data []byte) secretModifier {
	return func(s *corev1.Secret) { s.Data = map[string][]byte{dataKey: data} }
}

func unlabelled(s *corev1.Secret) { delete(s.Labels, "tfstateWorkspace") }

// stateSecret is the Secret of a state, as the backend writes it.
func stateSecret(modifiers ...secretModifier) *corev1.Secret {
	s := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:   testNamespace,
			Name:        SecretName(testKey),
			Labels:      labels(testKey),
			Annotations: map[string]string{"encoding": "gzip"},
		},
		Data: map[string][]byte{dataKey: pack(emptyState)},
	}
	for _, modify := range modifiers {
		modify(s)
	}
	return s
}

// stateParts is a state in n Secrets of the same size.
func stateParts(state string, n int) []client.Object {
	data := pack(state)
	var secrets []client.Object
	for i := range n {
		secrets = append(secrets, stateSecret(named(partName(testKey, i)), holding(data[i*len(data)/n:(i+1)*len(data)/n])))
	}
	return secrets
}

func snapshot() *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: testNamespace, Name: SnapshotName(testKey)},
		Data:       map[string][]byte{"request.json": []byte("{}")},
	}
}

// leaseModifier changes a Lease that a builder makes.
type leaseModifier func(*coordinationv1.Lease)

// lease is the Lease of a state that nobody holds, as the backend leaves it.
func lease(modifiers ...leaseModifier) *coordinationv1.Lease {
	l := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
		Namespace: testNamespace, Name: LeaseName(testKey), Labels: labels(testKey),
	}}
	for _, modify := range modifiers {
		modify(l)
	}
	return l
}

// heldLock is what heldLease says.
func heldLock(id, who string) *Lock {
	return &Lock{
		ID: id, Who: who, Operation: "OperationTypeApply", Version: "1.11.4",
		Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

// held makes a Lease one that the backend took.
func held(id, who string) leaseModifier {
	return func(l *coordinationv1.Lease) {
		info, err := json.Marshal(heldLock(id, who))
		if err != nil {
			panic(err)
		}
		l.Spec.HolderIdentity = &id
		l.Annotations = map[string]string{lockInfo: string(info)}
	}
}

// run is a Run of a key.
func run(name, key string) *v1alpha1.Run {
	return &v1alpha1.Run{ObjectMeta: metav1.ObjectMeta{
		Namespace: testNamespace, Name: name, Labels: map[string]string{v1alpha1.LabelKey: key},
	}}
}

func pod(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: testNamespace, Name: name}}
}

// names lists the Secrets and Leases that are left, as "Secret name".
func names(t *testing.T, c client.Client) []string {
	t.Helper()
	var all []string
	var secrets corev1.SecretList
	if err := c.List(t.Context(), &secrets, client.InNamespace(testNamespace)); err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets.Items {
		all = append(all, "Secret "+s.Name)
	}
	var leases coordinationv1.LeaseList
	if err := c.List(t.Context(), &leases, client.InNamespace(testNamespace)); err != nil {
		t.Fatal(err)
	}
	for _, l := range leases.Items {
		all = append(all, "Lease "+l.Name)
	}
	return all
}
