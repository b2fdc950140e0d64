package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// fieldOwner is by whom changes are, in managedFields.
const fieldOwner = "groundwork-cli"

// cluster is the access that the flags give, those of kubectl.
type cluster struct {
	flags *genericclioptions.ConfigFlags
	// system is the namespace of Runs, pods and states.
	system string
	// program is what the program is called.
	program string
}

// addClusterCommands adds the commands that work with a cluster, and their flags.
func addClusterCommands(root *cobra.Command) {
	k := &cluster{flags: genericclioptions.NewConfigFlags(true), program: root.DisplayName()}
	k.flags.CacheDir = nil // nothing is cached: no command asks what the API server has
	f := root.PersistentFlags()
	k.flags.AddFlags(f)
	f.StringVar(&k.system, "system-namespace", "groundwork-system", "`NAMESPACE` that Groundwork runs in")
	commands := []*cobra.Command{
		getCommand(k), describeCommand(k), planCommand(k), approveCommand(k), cancelCommand(k), reconcileCommand(k),
		suspendCommand(k), resumeCommand(k), waitCommand(k), watchCommand(k), historyCommand(k), logsCommand(k),
		outputsCommand(k), stateCommand(k),
	}
	for _, c := range commands {
		k.explainErrors(c)
	}
	root.AddCommand(commands...)
	// The flags are there.
	_ = root.RegisterFlagCompletionFunc("namespace", k.completeNamespace)
	_ = root.RegisterFlagCompletionFunc("system-namespace", k.completeNamespace)
}

// session is the work of one command with a cluster.
type session struct {
	client client.WithWatch
	config *rest.Config
	// namespace is the app's, system that of Runs, pods and states.
	namespace, system string
	program           string
}

// session connects to the cluster. What the API server warns of goes to w.
func (k *cluster) session(w io.Writer) (*session, error) {
	config, err := k.flags.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	config.WarningHandler = rest.NewWarningWriter(w, rest.WarningWriterOptions{Deduplicate: true})
	namespace, _, err := k.flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, err
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: newScheme()})
	if err != nil {
		return nil, err
	}
	return &session{c, config, namespace, k.system, k.program}, nil
}

// newScheme knows the kinds that commands work with.
func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			panic(err) // the packages' own kinds
		}
	}
	return scheme
}

// get reads an Infrastructure.
func (s *session) get(ctx context.Context, name string) (*v1alpha1.Infrastructure, error) {
	infra := &v1alpha1.Infrastructure{}
	err := s.client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, infra)
	if apierrors.IsNotFound(err) {
		return nil, s.notThere(name)
	}
	return infra, err
}

// notThere says that there is no such Infrastructure.
func (s *session) notThere(name string) error {
	return fmt.Errorf("there is no Infrastructure %q in namespace %s; `%s get -n %s` lists those that are there", name, s.namespace, s.program, s.namespace)
}

// line is the command line that does something with an Infrastructure.
func (s *session) line(verb, name string) string {
	return fmt.Sprintf("%s %s %s -n %s", s.program, verb, name, s.namespace)
}

// change changes an Infrastructure just as it was read; when it has changed since,
// it is read anew and change decides again.
func (s *session) change(ctx context.Context, name string, change func(*v1alpha1.Infrastructure) error) error {
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		infra, err := s.get(ctx, name)
		if err != nil {
			return err
		}
		before := infra.DeepCopy()
		if err := change(infra); err != nil {
			return err
		}
		patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		return s.client.Patch(ctx, infra, patch, client.FieldOwner(fieldOwner))
	})
}

// annotate sets an annotation of an object in memory.
func annotate(infra *v1alpha1.Infrastructure, key, value string) {
	if infra.Annotations == nil {
		infra.Annotations = map[string]string{}
	}
	infra.Annotations[key] = value
}
