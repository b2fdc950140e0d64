package e2e

import (
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestKilled makes sure that a killed awsemu takes its database servers with it.
func TestKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere, the next start stops them")
	}
	e := startEmulator(t)
	form := url.Values{
		"Action": {"CreateDBInstance"}, "DBInstanceIdentifier": {"orders"}, "Engine": {"mysql"}, "DBInstanceClass": {"db.t4g.micro"},
		"AllocatedStorage": {"20"}, "MasterUsername": {"app"}, "MasterUserPassword": {"correct-horse-battery"},
	}
	request, err := http.NewRequest(http.MethodPost, e.url, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=key/20260101/eu-central-1/rds/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(e.mysqlPort))
	if _, err := net.Dial("tcp", address); err != nil {
		t.Fatalf("%s: the instance does not answer: %v", response.Status, err)
	}
	if err := e.process.Kill(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("the MariaDB server outlived awsemu")
		}
		time.Sleep(50 * time.Millisecond)
	}
}
