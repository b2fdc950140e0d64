package terraform

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"
)

const (
	// erroredState is where Terraform leaves a state that it cannot write.
	// Source: https://developer.hashicorp.com/terraform/cli/commands/apply
	erroredState = "errored.tfstate"
	// lockPatience is how long the runner tries to release a lock that Terraform
	// has left. What is left then is for the controller, which breaks the lock once
	// the pod is gone.
	lockPatience = 2 * time.Minute
	// forever lasts until the process is about to be killed.
	forever = 1 << 62
)

// rescue does what a Terraform that failed has left undone: it pushes a state
// that could not be written, for as long as the pod lives, and then releases the
// lock, if that is this runner's own. It tells whether there was such a state.
func (s *session) rescue(life context.Context) (late bool, err error) {
	file := s.cfg.path(moduleDir, erroredState)
	patience := lockPatience
	if _, err := os.Stat(file); err == nil {
		late, patience = true, forever
		s.say("Terraform could not save the state; the runner goes on trying")
	}
	pushed := !late
	err = retry(life, patience, func(ctx context.Context) error {
		own, err := s.ownLock(ctx)
		if err != nil {
			return err
		}
		if !pushed {
			// Whoever else holds the lock is waited for.
			if err := s.tf.StatePush(ctx, file, tfexec.Lock(own == "")); err != nil {
				return fmt.Errorf("push the state: %w", err)
			}
			pushed = true
			s.log.printf("The state is saved")
		}
		if own == "" {
			return nil
		}
		if err := s.tf.ForceUnlock(ctx, own); err != nil {
			return fmt.Errorf("release the lock %s: %w", own, err)
		}
		s.log.printf("The lock %s is released", own)
		return nil
	})
	if err != nil && pushed {
		// The state is safe; the controller breaks the lock once the pod is gone.
		s.log.printf("The lock could not be released: %v", err)
		return late, nil
	}
	return late, err
}
