package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/runner/pod"
	"github.com/groundwork-dev/groundwork/state"
)

// createRun makes the nth Run of an Infrastructure, one that took a minute.
func (w *world) createRun(name string, n int, reason v1alpha1.RunReason) *v1alpha1.Run {
	w.Helper()
	key := state.Key(w.namespace, name)
	run := &v1alpha1.Run{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.system, Name: fmt.Sprintf("%s-%d", key, n), Labels: map[string]string{v1alpha1.LabelKey: key}},
		Spec: v1alpha1.RunSpec{
			Infrastructure: v1alpha1.InfrastructureReference{Namespace: w.namespace, Name: name, UID: "u", Generation: 1},
			Operation:      v1alpha1.OperationApply, Trigger: v1alpha1.TriggerChange,
		},
	}
	w.must(apiServer.Create(w.Context(), run))
	start := metav1.NewTime(time.Now().Add(-time.Hour).Truncate(time.Second))
	run.Status.StartedAt = &start
	run.Status.Plan = &v1alpha1.PlanSummary{Create: 3}
	run.Status.Finish(reason, "done", metav1.NewTime(start.Add(time.Minute)))
	w.must(apiServer.Status().Update(w.Context(), run))
	return run
}

func TestHistory(t *testing.T) {
	w := newWorld(t)
	w.create("orders", func(infra *v1alpha1.Infrastructure) {
		infra.Status.History = []v1alpha1.RunSummary{{
			Run: "kept-1", Operation: v1alpha1.OperationApply, Outcome: v1alpha1.RunReasonSucceeded, FinishedAt: metav1.NewTime(time.Now().Add(-time.Hour)),
		}}
	})
	if out := w.mustRun("history", "orders"); !strings.Contains(out, "kept-1   Apply       -         Succeeded   -         -      60m ago    -\n") {
		t.Errorf("history without Runs:\n%s", out)
	}
	for n, reason := range map[int]v1alpha1.RunReason{9: v1alpha1.RunReasonApplyFailed, 10: v1alpha1.RunReasonSucceeded} {
		w.createRun("orders", n, reason)
		w.createRun("other", n, reason)
	}
	key := state.Key(w.namespace, "orders")
	lines := strings.Split(w.mustRun("history", "orders"), "\n")
	var got [][]string
	for _, line := range lines[1 : len(lines)-1] {
		got = append(got, strings.Fields(line))
	}
	want := [][]string{
		{key + "-10", "Apply", "Change", "Succeeded", "60m", "ago", "60s", "59m", "ago", "create", "3"},
		{key + "-9", "Apply", "Change", "ApplyFailed", "60m", "ago", "60s", "59m", "ago", "create", "3"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if out := w.mustRun("history", "orders", "-o", "yaml"); !strings.HasPrefix(out, "- changes: create 3\n") {
		t.Errorf("history -o yaml:\n%s", out)
	}
	if out := w.mustRun("history", "other"); !strings.Contains(out, state.Key(w.namespace, "other")+"-9") {
		t.Errorf("history of an object that is gone:\n%s", out)
	}
	w.create("new")
	if out := w.mustRun("history", "new", "-o", "json"); out != "[]\n" {
		t.Errorf("history of an object that had no run:\n%s", out)
	}
	if _, err := w.run("history", "nothing"); err == nil || !strings.Contains(err.Error(), `there is no Infrastructure "nothing"`) {
		t.Errorf("history of what never was: %v", err)
	}
	w.asAppTeam()
	out := w.mustRun("history", "orders")
	if !strings.Contains(out, "you may not list runs in namespace "+w.system) || !strings.Contains(out, "kept-1") {
		t.Errorf("an app team's history:\n%s", out)
	}
}

// startKubelet stands in for a node's kubelet, which the API server asks for logs; the
// container of one pod has not started. It returns the node's name.
func startKubelet(t *testing.T, w *world, waits string) string {
	t.Helper()
	kubelet := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, waits) {
			http.Error(out, "container \"runner\" is waiting to start", http.StatusBadRequest)
			return
		}
		fmt.Fprintf(out, "Applying follow=%s\n", r.URL.Query().Get("follow"))
	}))
	t.Cleanup(kubelet.Close)
	_, port, err := net.SplitHostPort(kubelet.Listener.Addr().String())
	w.must(err)
	number, err := strconv.ParseInt(port, 10, 32)
	w.must(err)
	return w.createNode("127.0.0.1", int32(number))
}

// createNode makes a node with a kubelet at an address, and returns its name.
func (w *world) createNode(address string, port int32) string {
	w.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%s-%d", w.system, port)}}
	w.must(apiServer.Create(w.Context(), node))
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = port
	w.must(apiServer.Status().Update(w.Context(), node))
	return node.Name
}

// keepLog keeps the log of a run, as a runner does; an empty one is damaged.
func (w *world) keepLog(run, text, ended string) {
	w.Helper()
	data, err := runner.LogData([]byte(text))
	w.must(err)
	if text == "" {
		data = nil
	}
	w.must(apiServer.Create(w.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.system, Name: runner.LogName(run), Annotations: map[string]string{runner.AnnotationLogEnded: ended}},
		Data:       data,
	}))
}

// TestLogs_follow follows a run whose pod comes late.
func TestLogs_follow(t *testing.T) {
	w := newWorld(t)
	key := state.Key(w.namespace, "orders")
	w.create("orders", runs, func(infra *v1alpha1.Infrastructure) { infra.Status.Run.Name = key + "-1" })
	node := startKubelet(t, w, "no pod")
	done := w.meanwhile(func() { w.createPod(key+"-1", node) })
	want := "Run " + key + "-1 has said nothing yet; waiting for its pod.\nApplying follow=true\n"
	if out := w.mustRun("logs", "orders", "-f"); out != want {
		t.Errorf("got %q, want %q", out, want)
	}
	done()
}

// createPod makes the pod of a run, on a node or not yet.
func (w *world) createPod(run, node string) {
	w.Helper()
	w.must(apiServer.Create(w.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.system, Name: run},
		Spec:       corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: pod.ContainerName, Image: "bundle"}}},
	}))
}

func TestLogs(t *testing.T) {
	w := newWorld(t)
	key := state.Key(w.namespace, "orders")
	w.create("orders", runs, func(infra *v1alpha1.Infrastructure) { infra.Status.Run.Name = key + "-2" })
	w.create("new")
	node := startKubelet(t, w, key+"-3")
	w.createPod(key+"-2", node)
	w.createPod(key+"-3", node)
	w.createPod(key+"-4", "")
	w.createPod(key+"-7", w.createNode("127.0.0.1", 1))
	w.create("waits", runs, func(infra *v1alpha1.Infrastructure) { infra.Status.Run.Name = "waits-1" })
	for run, ended := range map[string]string{key + "-5": "true", key + "-6": "", key + "-7": ""} {
		w.keepLog(run, "said\n", ended)
	}
	w.keepLog(key+"-8", "", "true")
	cases := map[string]struct {
		args []string
		want string // of what is printed, or of the error
		code int
	}{
		"The run under way.":            {[]string{"logs", "orders"}, "Applying follow=\n", 0},
		"Followed.":                     {[]string{"logs", "orders", "-f"}, "Applying follow=true\n", 0},
		"A run by name.":                {[]string{"logs", "orders", key + "-2"}, "Applying follow=\n", 0},
		"A run whose pod is gone.":      {[]string{"logs", "orders", key + "-1"}, "there is no log of run " + key + "-1: its pod is gone, and none is kept", 1},
		"A run whose log is kept.":      {[]string{"logs", "orders", key + "-5"}, "said\n", 0},
		"Followed, which ends.":         {[]string{"logs", "orders", key + "-5", "-f"}, "said\n", 0},
		"A log whose end is missing.":   {[]string{"logs", "orders", key + "-6"}, "said\nThe end of this log may be missing: it was kept while the run was under way, and its pod cannot be asked any more.\n", 0},
		"A node that does not answer.":  {[]string{"logs", "orders", key + "-7"}, "said\nThe end of this log may be missing: it was kept while the run was under way, and its pod cannot be asked any more (", 0},
		"A log that is none.":           {[]string{"logs", "orders", key + "-8"}, `the key "log.gz" is not a gzipped log`, 1},
		"A run that waits for its pod.": {[]string{"logs", "waits"}, "run waits-1 has said nothing yet: its pod has not started; to wait for it, pass -f", 1},
		"A pod that has not started.":   {[]string{"logs", "orders", key + "-3"}, "the pod of run " + key + "-3 has not started", 1},
		"A pod without a node.":         {[]string{"logs", "orders", key + "-4"}, "The log of run " + key + "-4 is empty", 0},
		"A run of another object.":      {[]string{"logs", "new", key + "-2"}, key + "-2 is no run of new in namespace", 2},
		"An object that had no run.":    {[]string{"logs", "new"}, "new has had no run yet: Ready is True", 1},
		"An object that does not exist": {[]string{"logs", "nothing"}, `there is no Infrastructure "nothing"`, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			out, err := w.run(c.args...)
			if err != nil {
				out += err.Error()
			}
			if exitCode(err) != c.code || !strings.Contains(out, c.want) {
				t.Errorf("exit code %d, want %d with %q:\n%s", exitCode(err), c.code, c.want, out)
			}
		})
	}
	w.asAppTeam()
	want := "logs: you (anna) may not get pods/log in namespace " + w.system + ": that is for those who look after"
	if _, err := w.run("logs", "orders"); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestOutputs(t *testing.T) {
	w := newWorld(t)
	written := func(infra *v1alpha1.Infrastructure) {
		infra.Status.Outputs = &v1alpha1.OutputsStatus{SecretName: infra.Name, Keys: []string{"cert", "host"}, Checksum: "sha256:1"}
	}
	w.create("orders", written)
	w.create("lost", written)
	w.create("new")
	w.must(apiServer.Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "orders"},
		StringData: map[string]string{"host": "db.example.com", "cert": "a\nb\n"},
	}))
	w.asAppTeam()
	cases := map[string]struct {
		args []string
		want string // all that is printed, or of the error
		code int
	}{
		"Hidden.":                  {[]string{"outputs", "orders"}, "KEY    VALUE\ncert   (hidden)\nhost   (hidden)\n", 0},
		"Shown.":                   {[]string{"outputs", "orders", "--show"}, "KEY    VALUE\ncert   a\n       b\nhost   db.example.com\n", 0},
		"One.":                     {[]string{"outputs", "orders", "host", "--show"}, "db.example.com", 0},
		"As JSON.":                 {[]string{"outputs", "orders", "--show", "-o", "json"}, "{\n  \"cert\": \"a\\nb\\n\",\n  \"host\": \"db.example.com\"\n}\n", 0},
		"One, hidden.":             {[]string{"outputs", "orders", "host"}, "the value of host is printed with --show only", 2},
		"One that there is not.":   {[]string{"outputs", "orders", "port", "--show"}, `orders has no output "port"; it has cert, host`, 1},
		"None yet.":                {[]string{"outputs", "new"}, "new has no outputs yet: Ready is True", 1},
		"A Secret that was lost.":  {[]string{"outputs", "lost", "--show"}, "the output Secret lost of lost is not there", 1},
		"An object that is not so": {[]string{"outputs", "nothing"}, `there is no Infrastructure "nothing"`, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			out, err := w.run(c.args...)
			if exitCode(err) != c.code {
				t.Errorf("exit code %d, want %d", exitCode(err), c.code)
			}
			if err != nil && !strings.Contains(err.Error(), c.want) || err == nil && out != c.want {
				t.Errorf("want %q: %v\n%s", c.want, err, out)
			}
		})
	}
}

// TestWatch follows a run to its end.
func TestWatch(t *testing.T) {
	w := newWorld(t)
	w.create("orders", runs)
	done := w.meanwhile(func() {
		w.report(func(infra *v1alpha1.Infrastructure) {
			infra.Status.Run.Message = "Applying 2 of 3: aws_db_subnet_group.this"
		})
		time.Sleep(100 * time.Millisecond)
		w.report(func(infra *v1alpha1.Infrastructure) {
			infra.Status.Run = nil
			setReady(infra, metav1.ConditionTrue, v1alpha1.ReasonInSync, "Applied")
		})
	})
	out := w.mustRun("watch", "orders")
	done()
	var got []string
	for line := range strings.Lines(out) {
		_, text, _ := strings.Cut(line, "  ")
		got = append(got, text)
	}
	want := []string{
		"shop-orders-1: Applying 1 of 3: aws_db_instance.this\n",
		"shop-orders-1: Applying 2 of 3: aws_db_subnet_group.this\n",
		"Ready is True, InSync: Applied\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("watch (-want +got):\n%s", diff)
	}
	w.report(func(infra *v1alpha1.Infrastructure) {
		setStalled(infra, v1alpha1.ReasonModuleNotFound, "no such module")
	})
	if out, err := w.run("watch", "orders"); exitCode(err) != exitStalled || !strings.Contains(out, "no such module") {
		t.Errorf("watch of a stalled object: %v\n%s", err, out)
	}
	done = w.meanwhile(func() { w.must(apiServer.Delete(t.Context(), w.object("gone"))) })
	w.create("gone", waiting)
	if out := w.mustRun("watch", "gone"); !strings.Contains(out, "ApprovalRequired") || !strings.HasSuffix(out, "Gone\n") {
		t.Errorf("watch of an object that goes:\n%s", out)
	}
	done()
	if _, err := w.run("watch", "nothing"); err == nil || !strings.Contains(err.Error(), `there is no Infrastructure "nothing"`) {
		t.Errorf("watch of nothing: %v", err)
	}
}
