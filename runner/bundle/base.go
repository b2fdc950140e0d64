package bundle

import (
	"errors"
	"os"
)

// BaseLayer is what every image has: the user that it runs as, who signs the
// certificates of the world (as on this machine), and the folders that a read-only
// root needs to have for what is mounted there.
func BaseLayer() (Layer, error) {
	certificates, err := hostCertificates()
	if err != nil {
		return Layer{}, err
	}
	return Layer{Name: "base", Entries: []Entry{
		{Path: "/etc/group", Mode: 0o644, Content: []byte("root:x:0:\ngroundwork:x:65532:\n")},
		{Path: "/etc/passwd", Mode: 0o644, Content: []byte("root:x:0:0:root:/:/sbin/nologin\ngroundwork:x:65532:65532:groundwork:/tmp:/sbin/nologin\n")},
		{Path: "/etc/ssl/certs/ca-certificates.crt", Mode: 0o644, Content: certificates},
		{Path: "/tmp/", Mode: 0o1777},
	}}, nil
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
