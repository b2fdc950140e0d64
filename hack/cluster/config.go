package main

import (
	"bytes"
	"embed"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed config
var configFiles embed.FS

// settings is what the files in config/ refer to.
type settings struct {
	State, Runtime, PKI              string
	NodeIP, PodCIDR, Bridge, Cgroup  string
	NetworkName, NATTable            string
	PauseReference, Runc, CNIPlugins string
	HostHasDNS                       bool // CoreDNS does not start when it is to forward to nobody
}

func (c *cluster) settings() settings {
	resolv, _ := os.ReadFile("/etc/resolv.conf")
	return settings{
		State: c.state, Runtime: c.in("run"), PKI: c.in("pki"),
		NodeIP: nodeIP, PodCIDR: podCIDR, Bridge: bridgeName, Cgroup: cgroupName,
		NetworkName: networkName, NATTable: natTable,
		PauseReference: pauseReference, Runc: c.tools.path("runc"), CNIPlugins: c.tools.cniDir(),
		HostHasDNS: hasNameserver(string(resolv)),
	}
}

func hasNameserver(resolvConf string) bool {
	for line := range strings.Lines(resolvConf) {
		if strings.HasPrefix(line, "nameserver ") {
			return true
		}
	}
	return false
}

// writeConfig fills the templates in and writes them to dir under the same names.
func writeConfig(dir string, s settings) error {
	files, err := fs.Sub(configFiles, "config")
	if err != nil {
		return err
	}
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		t, err := template.New(filepath.Base(name)).Option("missingkey=error").ParseFS(files, name)
		if err != nil {
			return err
		}
		var text bytes.Buffer
		if err := t.Execute(&text, s); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			return err
		}
		return writeWhole(filepath.Join(dir, name), text.Bytes())
	})
}
