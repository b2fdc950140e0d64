package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// identity is a certificate to be issued. With kubeconfig, a file of that name lets its owner talk to the API server.
type identity struct {
	file         string
	ca           string
	commonName   string
	organization string // a group, to the API server
	dnsNames     []string
	ips          []string
	kubeconfig   bool
}

const (
	clusterCA    = "ca"
	frontProxyCA = "front-proxy-ca" // signs those who may tell an aggregated API server who its caller is
)

func identities() []identity {
	return []identity{
		{file: "apiserver", ca: clusterCA, commonName: "kube-apiserver", ips: []string{nodeIP, serviceIP},
			dnsNames: []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}},
		{file: "apiserver-kubelet-client", ca: clusterCA, commonName: "kube-apiserver-kubelet-client", organization: "system:masters"},
		{file: "front-proxy-client", ca: frontProxyCA, commonName: "front-proxy-client"},
		{file: "admin", ca: clusterCA, commonName: "admin", organization: "system:masters", kubeconfig: true},
		{file: "kube-controller-manager", ca: clusterCA, commonName: "system:kube-controller-manager", kubeconfig: true},
		{file: "kube-scheduler", ca: clusterCA, commonName: "system:kube-scheduler", kubeconfig: true},
		{file: "kubelet", ca: clusterCA, commonName: "system:node:" + nodeName, organization: "system:nodes", kubeconfig: true},
		{file: "kube-proxy", ca: clusterCA, commonName: "system:kube-proxy", kubeconfig: true},
		{file: "coredns", ca: clusterCA, commonName: "coredns", kubeconfig: true}, // its role: config/coredns-role.yaml
	}
}

// lifetime of authorities and certificates alike; who keeps a development cluster longer wipes it once.
const lifetime = 5 * 365 * 24 * time.Hour

// createPKI fills dir with keys, certificates and kubeconfigs, unless it is there: a half-made one never is.
func createPKI(dir string, now time.Time) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	fresh := dir + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return err
	}
	if err := issueAll(fresh, now); err != nil {
		return fmt.Errorf("create certificates: %w", err)
	}
	return os.Rename(fresh, dir)
}

func issueAll(dir string, now time.Time) error {
	authorities := map[string]authority{}
	for _, name := range []string{clusterCA, frontProxyCA} {
		a, err := newAuthority(dir, name, now)
		if err != nil {
			return err
		}
		authorities[name] = a
	}
	for _, id := range identities() {
		if err := authorities[id.ca].issue(dir, id, now); err != nil {
			return err
		}
		if id.kubeconfig {
			if err := writeKubeconfig(dir, id.file); err != nil {
				return err
			}
		}
	}
	return writeServiceAccountKey(dir)
}

type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(dir, name string, now time.Time) (authority, error) {
	t, err := certificate(name, "", now)
	if err != nil {
		return authority{}, err
	}
	t.IsCA, t.BasicConstraintsValid, t.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
	key, err := newKey(dir, name)
	if err != nil {
		return authority{}, err
	}
	cert, err := sign(dir, name, t, authority{t, key}, key)
	return authority{cert, key}, err
}

func (a authority) issue(dir string, id identity, now time.Time) error {
	t, err := certificate(id.commonName, id.organization, now)
	if err != nil {
		return err
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if len(id.ips) > 0 {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	t.DNSNames = id.dnsNames
	for _, ip := range id.ips {
		t.IPAddresses = append(t.IPAddresses, net.ParseIP(ip))
	}
	key, err := newKey(dir, id.file)
	if err != nil {
		return err
	}
	_, err = sign(dir, id.file, t, a, key)
	return err
}

func certificate(commonName, organization string, now time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: commonName},
		NotBefore:    now.Add(-time.Hour), // a clock that is set back a little does no harm
		NotAfter:     now.Add(lifetime),
	}
	if organization != "" {
		t.Subject.Organization = []string{organization}
	}
	return t, nil
}

func sign(dir, name string, t *x509.Certificate, by authority, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, t, by.cert, key.Public(), by.key)
	if err != nil {
		return nil, err
	}
	if err := writePEM(filepath.Join(dir, name+".crt"), "CERTIFICATE", der); err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func newKey(dir, name string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(filepath.Join(dir, name+".key"), "EC PRIVATE KEY", der)
}

// writeServiceAccountKey makes the key pair that signs and verifies service accounts' tokens.
func writeServiceAccountKey(dir string) error {
	key, err := newKey(dir, "service-account")
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return writePEM(filepath.Join(dir, "service-account.pub"), "PUBLIC KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// writeKubeconfig writes NAME.kubeconfig from the certificate and key of that name.
func writeKubeconfig(dir, name string) error {
	var encoded []any
	for _, file := range []string{clusterCA + ".crt", name + ".crt", name + ".key"} {
		content, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return err
		}
		encoded = append(encoded, base64.StdEncoding.EncodeToString(content))
	}
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: groundwork
  cluster: {server: "`+apiURL+`", certificate-authority-data: %s}
users:
- name: groundwork
  user: {client-certificate-data: %s, client-key-data: %s}
contexts:
- name: groundwork
  context: {cluster: groundwork, user: groundwork}
current-context: groundwork
`, encoded...)
	return os.WriteFile(filepath.Join(dir, name+".kubeconfig"), []byte(text), 0o600)
}
