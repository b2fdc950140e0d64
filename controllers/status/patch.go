package status

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// Patch writes what the status of infra has changed since before, if anything,
// in one request.
func Patch(ctx context.Context, c client.Client, before, infra *v1alpha1.Infrastructure) error {
	if equality.Semantic.DeepEqual(before.Status, infra.Status) {
		return nil
	}
	// The patch works on a copy: the API server's answer would replace the spec and
	// metadata that the caller goes on with.
	if err := c.Status().Patch(ctx, infra.DeepCopy(), client.MergeFrom(before)); err != nil {
		return fmt.Errorf("write the status: %w", err)
	}
	return nil
}
