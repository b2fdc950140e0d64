package run

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
)

const (
	// runsPerNode is the number of runs that a node is trusted with; a runner asks for a
	// tenth of a core and 256 MiB.
	runsPerNode = 4
	// minRuns and maxRuns bound what follows from the number of nodes: a small cluster may
	// grow when pods find no place, and the cloud's API does not grow with the cluster.
	minRuns, maxRuns = 8, 64
	// countInterval is the time between two counts of the nodes.
	countInterval = 5 * time.Minute
)

// limit is the number of runs at a time: a fixed one, or one that follows from the
// number of nodes.
type limit struct {
	fixed int
	nodes metadata.Interface
	clock clock.PassiveClock

	known   int
	counted time.Time
}

// get returns the limit. While the nodes cannot be counted, it is what it was.
func (l *limit) get(ctx context.Context) int {
	if l.fixed > 0 {
		return l.fixed
	}
	if now := l.clock.Now(); l.counted.IsZero() || now.Sub(l.counted) >= countInterval {
		l.counted = now
		nodes, err := countNodes(ctx, l.nodes)
		if err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "The limit of runs at a time stays what it is", "limit", max(l.known, minRuns))
		} else {
			l.known = runsOn(nodes)
		}
	}
	return max(l.known, minRuns)
}

// runsOn is the number of runs at a time for a number of nodes.
func runsOn(nodes int) int { return min(max(minRuns, runsPerNode*nodes), maxRuns) }

// countNodes asks for one node, and how many more there are.
func countNodes(ctx context.Context, c metadata.Interface) (int, error) {
	list, err := c.Resource(corev1.SchemeGroupVersion.WithResource("nodes")).List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return 0, fmt.Errorf("count the nodes: %w", err)
	}
	nodes := len(list.Items)
	if more := list.RemainingItemCount; more != nil {
		nodes += int(*more)
	}
	return nodes, nil
}
