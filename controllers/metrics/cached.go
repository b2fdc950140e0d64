package metrics

import (
	"context"
	"fmt"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// listTimeout bounds a scrape: the cache answers at once, but for the first time.
const listTimeout = 5 * time.Second

// cached are objects that are counted at each scrape, so that nothing is left of one that
// is gone, and no request goes to the API server.
//
// Of several replicas only the one that works tells of them: a sum over all counts each
// object once.
type cached struct {
	cache client.Reader
	// elected is closed when this replica works.
	elected <-chan struct{}
}

// list fills a list with the cache's own objects, which are only to be read, and tells
// whether it could.
func (c cached) list(list client.ObjectList) bool {
	select {
	case <-c.elected:
	default:
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), listTimeout)
	defer cancel()
	if err := c.cache.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		// The other metrics are worth having without these.
		ctrl.Log.WithName("metrics").Error(err, "List objects", "kind", fmt.Sprintf("%T", list))
		return false
	}
	return true
}
