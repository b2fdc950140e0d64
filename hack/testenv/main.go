package testenv

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// Main runs a package's tests on an API server of their own, and returns the exit
// code for its TestMain. setUp gets an administrator's access, of which no rate is
// limited, before the first test.
func Main(m *testing.M, setUp func(config *rest.Config) error) int {
	log.SetLogger(logr.Discard())
	code, err := runTests(m, setUp)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func runTests(m *testing.M, setUp func(config *rest.Config) error) (code int, err error) {
	server, err := Open()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	server.Config.QPS = -1
	if err := setUp(server.Config); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// Scheme returns a scheme with Kubernetes' own kinds and the given ones, each a
// package's AddToScheme.
func Scheme(kinds ...func(*runtime.Scheme) error) *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range append(kinds, clientgoscheme.AddToScheme) {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	return scheme
}
