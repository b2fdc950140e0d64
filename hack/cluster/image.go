package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
)

// pauseReference names the sandbox image; containerd's configuration refers to it.
const pauseReference = "groundwork.dev/cluster/pause:1"

// writePauseImage makes an image archive, in the format of `docker save`, with the binary as its only file. One layer
// and three small files are not worth a library, which every `go run` of this program would have to link.
func writePauseImage(binary, archive string) error {
	content, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	layer, err := tarOf(file{"pause", 0o755, content})
	if err != nil {
		return err
	}
	config, err := json.Marshal(map[string]any{
		"os":           "linux",
		"architecture": runtime.GOARCH,
		"config":       map[string]any{"Entrypoint": []string{"/pause"}, "User": "65535:65535"},
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer))}},
	})
	if err != nil {
		return err
	}
	manifest, err := json.Marshal([]map[string]any{{
		"Config": "config.json", "RepoTags": []string{pauseReference}, "Layers": []string{"layer.tar"},
	}})
	if err != nil {
		return err
	}
	image, err := tarOf(file{"layer.tar", 0o644, layer}, file{"config.json", 0o644, config}, file{"manifest.json", 0o644, manifest})
	if err != nil {
		return err
	}
	return os.WriteFile(archive, image, 0o644)
}

type file struct {
	name    string
	mode    int64
	content []byte
}

func tarOf(files ...file) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.content))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// importImage loads an image archive into the namespace that kubelet sees, and writes what ctr says about it to out.
func (c *cluster) importImage(ctx context.Context, archive string, out io.Writer) error {
	var problems bytes.Buffer
	cmd := exec.CommandContext(ctx, c.tools.path("ctr"), "--address", c.containerdSocket(), "--namespace", "k8s.io",
		"images", "import", archive)
	cmd.Env = c.tools.environment()
	cmd.Stdout, cmd.Stderr = out, &problems
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("import %s: %w: %s", archive, err, lastLine(problems.Bytes()))
	}
	return nil
}
