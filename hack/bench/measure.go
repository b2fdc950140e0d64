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
	// crowd is the number of objects that are made at once.
	crowd = 30
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

// many makes a crowd of objects at once.
func (b *bench) many(ctx context.Context) error {
	names := make([]string, crowd)
	began, cpu := time.Now(), machineCPU()
	for i := range names {
		names[i] = fmt.Sprintf("crowd-%d", i)
		if err := b.create(ctx, names[i], "outputs", nil); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := b.waitSecret(ctx, name); err != nil {
			return err
		}
	}
	report(fmt.Sprintf("no provider, %d at once, first create to last Secret", crowd), "s", []float64{time.Since(began).Seconds()})
	report("  CPU of the whole machine meanwhile", "s", []float64{machineCPU() - cpu})
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
	return nil
}

// memory reads the controller's resident memory from its own metrics.
func (b *bench) memory(ctx context.Context) error {
	var pods corev1.PodList
	err := b.stage.Client.List(ctx, &pods, client.InNamespace(devenv.Namespace), client.MatchingLabels{"app.kubernetes.io/component": "controller"})
	if err != nil {
		return err
	}
	for i := range pods.Items {
		path := fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:8080/proxy/metrics", devenv.Namespace, pods.Items[i].Name)
		metrics, err := b.stage.Kubectl(ctx, "get", "--raw", path)
		if err != nil {
			return err
		}
		for line := range strings.Lines(metrics) {
			var bytes float64
			if _, err := fmt.Sscanf(line, "process_resident_memory_bytes %g", &bytes); err == nil {
				report("controller, resident memory", "MiB", []float64{bytes / (1 << 20)})
			}
		}
	}
	return nil
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
