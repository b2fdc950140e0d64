package main

import (
	"errors"
	"os"
)

// baseEntries is what every image has: the user that it runs as, who signs the
// certificates of the world, and the folders that a read-only root needs to have
// for what is mounted there.
func baseEntries() ([]entry, error) {
	certificates, err := hostCertificates()
	if err != nil {
		return nil, err
	}
	return []entry{
		{path: "/etc/group", mode: 0o644, content: []byte("root:x:0:\ngroundwork:x:65532:\n")},
		{path: "/etc/passwd", mode: 0o644, content: []byte("root:x:0:0:root:/:/sbin/nologin\ngroundwork:x:65532:65532:groundwork:/tmp:/sbin/nologin\n")},
		{path: "/etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: certificates},
		{path: "/tmp/", mode: 0o1777},
	}, nil
}

// hostCertificates reads the CA certificates where Linux distributions keep them.
// Source: https://go.dev/src/crypto/x509/root_linux.go
func hostCertificates() ([]byte, error) {
	for _, file := range []string{
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
		"/etc/ssl/cert.pem",
	} {
		b, err := os.ReadFile(file)
		if err == nil || !errors.Is(err, os.ErrNotExist) {
			return b, err
		}
	}
	return nil, errors.New("this machine has no CA certificates, and providers could not reach a cloud without: install the package ca-certificates")
}
