package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// sleep waits for a number of seconds, or until ctx ends, which is an error. A
// module's local-exec can call it where an image has no shell:
//
//	interpreter = ["/groundwork/runner", "sleep"]
//	command     = "30"
func sleep(ctx context.Context, seconds string) error {
	n, err := strconv.ParseFloat(seconds, 64)
	if err != nil || n < 0 {
		return usageError(fmt.Sprintf("sleep %q: want a number of seconds", seconds))
	}
	select {
	case <-time.After(time.Duration(n * float64(time.Second))):
		return nil
	case <-ctx.Done():
		return errors.New("interrupted")
	}
}
