package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestCreatePKI(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	if err := os.MkdirAll(dir+".new/half", 0o700); err != nil { // as an interrupted run leaves it
		t.Fatal(err)
	}
	now := time.Now()
	if err := createPKI(dir, now); err != nil {
		t.Fatal(err)
	}
	for _, id := range identities() {
		t.Run(id.file, func(t *testing.T) {
			authorities := x509.NewCertPool()
			ca, err := os.ReadFile(filepath.Join(dir, id.ca+".crt"))
			if err != nil {
				t.Fatal(err)
			}
			authorities.AppendCertsFromPEM(ca)
			pair, err := tls.LoadX509KeyPair(filepath.Join(dir, id.file+".crt"), filepath.Join(dir, id.file+".key"))
			if err != nil {
				t.Fatal(err)
			}
			usage := x509.ExtKeyUsageClientAuth
			if len(id.ips) > 0 {
				usage = x509.ExtKeyUsageServerAuth
			}
			for _, at := range []time.Time{now, now.Add(lifetime - time.Hour)} {
				_, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: authorities, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage}})
				if err != nil {
					t.Errorf("at %s: %v", at, err)
				}
			}
			for _, host := range append(id.ips, id.dnsNames...) {
				if err := pair.Leaf.VerifyHostname(host); err != nil {
					t.Error(err)
				}
			}
			if id.kubeconfig {
				if info, err := os.Stat(filepath.Join(dir, id.file+".kubeconfig")); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("kubeconfig: %v %v", info, err)
				}
			}
		})
	}

	before, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if err := createPKI(dir, now); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, "ca.crt")); err != nil || string(after) != string(before) {
		t.Errorf("certificates that exist are replaced: %v", err)
	}
}
