package certificate

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/groundwork-dev/groundwork/hack/testenv"
)

// A replica that starts later finds the certificate made.
func TestFiles(t *testing.T) {
	ctrl.SetLogger(logr.Discard())
	config, _ := testenv.Start(t)
	mgr, err := ctrl.NewManager(config, ctrl.Options{Metrics: metricsserver.Options{BindAddress: "0"}})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Namespace: "default", Secret: "webhook", Dir: filepath.Join(t.TempDir(), "new")}
	for name, text := range map[string]string{o.Secret: "its own", "z-other": "another's"} {
		err := mgr.GetClient().Create(t.Context(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: name},
			StringData: map[string]string{certFile: text, keyFile: text},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	named := asksByName{mgr, byName(config, map[string]string{"secrets": o.Secret})}
	ctx, stop := context.WithCancel(t.Context())
	if err := addFiles(ctx, named, o); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	var got []byte
	for deadline := time.Now().Add(20 * time.Second); len(got) == 0 && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		got, _ = os.ReadFile(filepath.Join(o.Dir, certFile))
	}
	time.Sleep(100 * time.Millisecond)
	if got, _ = os.ReadFile(filepath.Join(o.Dir, certFile)); string(got) != "its own" {
		t.Errorf("the certificate is %q", got)
	}
}

func TestWrite(t *testing.T) {
	type data = map[string][]byte
	for _, tc := range []struct {
		name string
		// data is what the Secret holds, one time after the other.
		data []data
		want map[string]string
	}{
		{"An empty Secret writes nothing.", []data{nil}, map[string]string{}},
		{"A key without a certificate is not enough.", []data{{keyFile: []byte("k")}}, map[string]string{}},
		{"A certificate without a key is not enough.", []data{{certFile: []byte("c")}}, map[string]string{}},
		{"Both are written, and nothing else.", []data{{certFile: []byte("c"), keyFile: []byte("k"), "ca.key": []byte("secret")}},
			map[string]string{certFile: "c", keyFile: "k"}},
		{"Others take their place.", []data{{certFile: []byte("c"), keyFile: []byte("k")}, {certFile: []byte("d"), keyFile: []byte("l")}},
			map[string]string{certFile: "d", keyFile: "l"}},
		{"Those that are lost stay until there are others.", []data{{certFile: []byte("c"), keyFile: []byte("k")}, nil},
			map[string]string{certFile: "c", keyFile: "k"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, d := range tc.data {
				if err := write(dir, d); err != nil {
					t.Fatal(err)
				}
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, entry := range entries {
				text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
				if err != nil {
					t.Fatal(err)
				}
				got[entry.Name()] = string(text)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("files, -want +got:\n%s", diff)
			}
		})
	}
}
