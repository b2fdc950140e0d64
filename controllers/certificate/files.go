package certificate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

// The files of a certificate, named as the keys of a Secret are.
const (
	certFile = corev1.TLSCertKey
	keyFile  = corev1.TLSPrivateKeyKey
)

// files keeps the files in a folder as they are in the Secret. A volume of the Secret
// would do the same, but kubelet takes a minute or more to bring a change: that long
// would an installation take, and a new CA not be known.
type files struct{ cache.Cache }

// NeedLeaderElection implements manager.LeaderElectionRunnable: each replica serves.
func (files) NeedLeaderElection() bool { return false }

func addFiles(ctx context.Context, mgr ctrl.Manager, o Options) error {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of the webhook's certificate: %w", err)
	}
	secrets, err := cache.New(mgr.GetConfig(), cache.Options{
		Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(),
		DefaultNamespaces: map[string]cache.Config{o.Namespace: {}},
	})
	if err != nil {
		return fmt.Errorf("watch the webhook's Secret: %w", err)
	}
	informer, err := secrets.GetInformer(ctx, &corev1.Secret{}, cache.BlockUntilSynced(false))
	if err != nil {
		return fmt.Errorf("watch the webhook's Secret: %w", err)
	}
	update := func(obj any) {
		if err := write(o.Dir, obj.(*corev1.Secret).Data); err != nil {
			ctrl.Log.Error(err, "Write the webhook's certificate")
		}
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{AddFunc: update, UpdateFunc: func(_, obj any) { update(obj) }})
	if err != nil {
		return fmt.Errorf("watch the webhook's Secret: %w", err)
	}
	return mgr.Add(files{secrets})
}

// write puts a certificate and its key into dir, each at once and whole; while the
// two do not belong together, the server goes on with those that it has. Without
// both, nothing is written.
func write(dir string, data map[string][]byte) error {
	if len(data[keyFile]) == 0 || len(data[certFile]) == 0 {
		return nil
	}
	for _, name := range []string{keyFile, certFile} {
		target := filepath.Join(dir, name)
		if current, err := os.ReadFile(target); err == nil && bytes.Equal(current, data[name]) {
			continue
		}
		partial := filepath.Join(dir, ".partial-"+name)
		if err := os.WriteFile(partial, data[name], 0o600); err != nil {
			return err
		}
		if err := os.Rename(partial, target); err != nil {
			return err
		}
	}
	return nil
}

// Server returns a webhook server that starts once its certificate is there.
func Server(o webhook.Options) webhook.Server {
	return waiting{webhook.NewServer(o), o.CertDir}
}

type waiting struct {
	webhook.Server
	dir string
}

// Start implements webhook.Server.
func (s waiting) Start(ctx context.Context) error {
	err := wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(context.Context) (bool, error) {
		for _, name := range []string{keyFile, certFile} {
			if _, err := os.Stat(filepath.Join(s.dir, name)); errors.Is(err, fs.ErrNotExist) {
				return false, nil
			} else if err != nil {
				return false, fmt.Errorf("look for the webhook's certificate: %w", err)
			}
		}
		return true, nil
	})
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Server.Start(ctx)
}
