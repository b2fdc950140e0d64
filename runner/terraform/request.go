package terraform

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

// readRequest reads the request from the mounted Secret. Kubelet keeps links and
// folders of its own there, whose names begin with two dots.
func readRequest(dir string) (*runner.Request, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	data := map[string][]byte{}
	for _, entry := range entries {
		if len(entry.Name()) > 1 && entry.Name()[:2] == ".." {
			continue
		}
		if data[entry.Name()], err = os.ReadFile(filepath.Join(dir, entry.Name())); err != nil {
			return nil, fmt.Errorf("read the request: %w", err)
		}
	}
	return runner.ParseRequest(data)
}

// checkRequest tells a request that is not the run's: the Secret of the run's
// name was replaced.
func checkRequest(req *runner.Request, run *v1alpha1.Run) error {
	switch {
	case req.Operation != run.Spec.Operation:
		return fmt.Errorf("the request is to %s, the run to %s", req.Operation, run.Spec.Operation)
	case req.InputsDigest != run.Spec.InputsDigest:
		return fmt.Errorf("the request has the inputs %s, the run %s", req.InputsDigest, run.Spec.InputsDigest)
	case req.Snapshot == "":
		return errors.New("the request names no snapshot")
	}
	return nil
}
