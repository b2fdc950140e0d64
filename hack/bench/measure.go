package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/hack/devenv"
)

const (
	// pairs is the number of runs that are compared, after one that is not counted.
	pairs = 5
	// crowd is the number of objects that are made at once, and crowdRuns the number of runs
	// at a time.
	crowd     = 200
	crowdRuns = 8
)

// bucket compares create → Secret of aws-s3-bucket with the command line.
func (b *bench) bucket(ctx context.Context) error {
	cli, err := newCommandLine(ctx, b.stage)
	if err != nil {
		return err
	}
	defer cli.close()
	var ours, theirs, ratios, deletes []float64
	for i := range pairs + 1 {
		name := fmt.Sprintf("bench-%d", i)
		made, gone, err := b.object(ctx, name, "aws-s3-bucket", map[string]any{"name": name})
		if err != nil {
			return err
		}
		direct, err := cli.apply(ctx, name+"-cli")
		if err != nil {
			return err
		}
		if i == 0 {
			continue // Caches are cold.
		}
		ours, theirs, deletes = append(ours, made), append(theirs, direct), append(deletes, gone)
		ratios = append(ratios, made/direct)
	}
	report("aws-s3-bucket, create to Secret", "s", ours)
	report("aws-s3-bucket, terraform init && apply", "s", theirs)
	report("  ratio, pair by pair", "", ratios)
	report("aws-s3-bucket, delete to gone", "s", deletes)
	return nil
}

// withoutProvider measures a module that costs nothing itself.
func (b *bench) withoutProvider(ctx context.Context) error {
	var made, gone []float64
	for i := range pairs + 1 {
		create, remove, err := b.object(ctx, fmt.Sprintf("plain-%d", i), "outputs", nil)
		if err != nil {
			return err
		}
		if i > 0 {
			made, gone = append(made, create), append(gone, remove)
		}
	}
	report("no provider, create to Secret", "s", made)
	report("no provider, delete to gone", "s", gone)
	return nil
}

// many makes a crowd of objects at once, of which most wait for their turn.
func (b *bench) many(ctx context.Context) error {
	if err := b.stage.Install(ctx, fmt.Sprintf("controller.maxConcurrentRuns=%d", crowdRuns)); err != nil {
		return err
	}
	before, err := b.requests(ctx)
	if err != nil {
		return err
	}
	names := make([]string, crowd)
	began, cpu := time.Now(), machineCPU()
	for i := range names {
		names[i] = fmt.Sprintf("crowd-%d", i)
		if err := b.create(ctx, names[i], "outputs", nil); err != nil {
			return err
		}
	}
	// One watch, so that what is measured is not the asking.
	if err := b.waitAllReady(ctx, crowd); err != nil {
		return err
	}
	took, worked := time.Since(began).Seconds(), machineCPU()-cpu
	after, err := b.requests(ctx)
	if err != nil {
		return err
	}
	report(fmt.Sprintf("no provider, %d objects, %d runs at a time, to the last Ready", crowd, crowdRuns), "s", []float64{took})
	report("  an object", "s", []float64{took / crowd})
	report("  CPU of the whole machine meanwhile", "s", []float64{worked})
	report("  an object", "s", []float64{worked / crowd})
	report("  requests to the API server, whoever's, an object", "", []float64{(after.all - before.all) / crowd})
	report("  those of the controller, an object", "", []float64{(after.controller - before.controller) / crowd})
	if err := b.memory(ctx); err != nil {
		return err
	}
	began = time.Now()
	for _, name := range names {
		if err := b.delete(ctx, name); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := b.waitGone(ctx, name); err != nil {
			return err
		}
	}
	report("  all deleted, to the last gone", "s", []float64{time.Since(began).Seconds()})
	return b.stage.Install(ctx)
}

// requests are numbers of requests to the API server since it, or the controller, started:
// watches count once, when they end.
type requests struct{ all, controller float64 }

func (b *bench) requests(ctx context.Context) (requests, error) {
	var r requests
	metrics, err := b.stage.Kubectl(ctx, "get", "--raw", "/metrics")
	if err != nil {
		return r, err
	}
	r.all = sumOf(metrics, "apiserver_request_total")
	controllers, err := b.controllerMetrics(ctx)
	for _, metrics := range controllers {
		r.controller += sumOf(metrics, "rest_client_requests_total")
	}
	return r, err
}

// sumOf is the sum over all series of a metric.
func sumOf(metrics, name string) float64 {
	sum := 0.0
	for line := range strings.Lines(metrics) {
		if !strings.HasPrefix(line, name+"{") && !strings.HasPrefix(line, name+" ") {
			continue
		}
		var value float64
		if _, err := fmt.Sscan(line[strings.LastIndex(strings.TrimSpace(line), " ")+1:], &value); err == nil {
			sum += value
		}
	}
	return sum
}

// controllerMetrics is what each pod of the controller tells that is there to stay.
func (b *bench) controllerMetrics(ctx context.Context) ([]string, error) {
	var pods corev1.PodList
	err := b.stage.Client.List(ctx, &pods, client.InNamespace(devenv.Namespace), client.MatchingLabels{"app.kubernetes.io/component": "controller"})
	if err != nil {
		return nil, err
	}
	var all []string
	for i := range pods.Items {
		if pods.Items[i].DeletionTimestamp != nil {
			continue
		}
		path := fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:8080/proxy/metrics", devenv.Namespace, pods.Items[i].Name)
		metrics, err := b.stage.Kubectl(ctx, "get", "--raw", path)
		if err != nil {
			return nil, err
		}
		all = append(all, metrics)
	}
	return all, nil
}

// memory reads the controllers' resident memory from their own metrics; the one that works
// has the most.
func (b *bench) memory(ctx context.Context) error {
	controllers, err := b.controllerMetrics(ctx)
	for _, metrics := range controllers {
		report("controller, resident memory", "MiB", []float64{sumOf(metrics, "process_resident_memory_bytes") / (1 << 20)})
	}
	return err
}

// report prints a median and, of several figures, the range.
func report(what, unit string, figures []float64) {
	slices.Sort(figures)
	median := figures[len(figures)/2]
	if len(figures) == 1 {
		fmt.Printf("%-58s %8.2f %s\n", what, median, unit)
		return
	}
	fmt.Printf("%-58s %8.2f %-3s (%.2f to %.2f, n=%d)\n", what, median, unit, figures[0], figures[len(figures)-1], len(figures))
}
