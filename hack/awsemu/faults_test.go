package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFaults_hit(t *testing.T) {
	identity := func(c *testClient) answer { return c.query("sts", "GetCallerIdentity") }
	cases := map[string]struct {
		fault string
		calls []int // the HTTP statuses of calls in turn
		code  string
	}{
		"Without an error the call is carried out.":    {`{"action":"sts:GetCallerIdentity","latency":"1ms"}`, []int{200, 200}, ""},
		"An error is 400 when no status is given.":     {`{"action":"sts:GetCallerIdentity","code":"AccessDenied"}`, []int{400, 400, 400}, "AccessDenied"},
		"An error has the status that is given.":       {`{"action":"sts:GetCallerIdentity","code":"Throttling","status":503}`, []int{503}, "Throttling"},
		"It ends after the given number of calls.":     {`{"action":"sts:GetCallerIdentity","code":"Throttling","times":2}`, []int{400, 400, 200}, "Throttling"},
		"Another action is not hit.":                   {`{"action":"sts:GetCallerIdentity","code":"AccessDenied"}`, nil, ""},
		"A delay may end after a number of calls too.": {`{"action":"sts:GetCallerIdentity","latency":"1ms","times":1}`, []int{200, 200}, ""},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			c := newTestClient(t)
			if a := c.do("", "PUT", "/_emu/faults", test.fault); a.status != http.StatusOK {
				t.Fatalf("%d %s", a.status, a.body)
			}
			for i, want := range test.calls {
				got := identity(c)
				if got.status != want || (want != http.StatusOK && got.code() != test.code) {
					t.Errorf("call %d: got %d, code %q, want %d, %q", i, got.status, got.code(), want, test.code)
				}
			}
			if got := c.query("ec2", "DescribeVpcs"); got.status != http.StatusOK {
				t.Errorf("another action: %d", got.status)
			}
		})
	}
}

func TestFaults_hit_protocols(t *testing.T) {
	c := newTestClient(t)
	for _, action := range []string{"ec2:DescribeVpcs", "s3:CreateBucket", "s3:PutObject", "s3:PutBucketVersioning", "secretsmanager:GetRandomPassword"} {
		if a := c.do("", "PUT", "/_emu/faults", `{"action":"`+action+`","code":"SlowDown","message":"wait","status":503}`); a.status != http.StatusOK {
			t.Fatalf("%s: %s", action, a.body)
		}
	}
	cases := map[string]struct {
		got  answer
		want string
	}{
		"EC2 has its own form of errors.":       {c.query("ec2", "DescribeVpcs"), "<Errors><Error><Code>SlowDown</Code><Message>wait</Message></Error></Errors>"},
		"S3 buckets are known by method.":       {c.do("s3", "PUT", "/uploads", ""), "<Error><Code>SlowDown</Code><Message>wait</Message>"},
		"S3 configurations are known by query.": {c.do("s3", "PUT", "/uploads?versioning", ""), "<Error><Code>SlowDown</Code><Message>wait</Message>"},
		"S3 objects are known by path.":         {c.do("s3", "PUT", "/uploads/key", ""), "<Error><Code>SlowDown</Code><Message>wait</Message>"},
		"JSON services have JSON errors.": {
			c.do("secretsmanager", "POST", "/", "{}", "X-Amz-Target", "secretsmanager.GetRandomPassword"), `{"__type":"SlowDown","message":"wait"}`,
		},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if test.got.status != 503 || !strings.Contains(test.got.body, test.want) {
				t.Errorf("got %d\n%s\nwant 503\n%s", test.got.status, test.got.body, test.want)
			}
		})
	}
}

func TestFaults_hit_latency(t *testing.T) {
	c := newTestClient(t)
	c.do("", "PUT", "/_emu/faults", `{"action":"sts:GetCallerIdentity","latency":"200ms"}`)
	start := time.Now()
	c.query("sts", "GetCallerIdentity")
	if took := time.Since(start); took < 200*time.Millisecond {
		t.Errorf("the call took %s, want at least 200 ms", took)
	}
}

func TestFaults_ServeHTTP(t *testing.T) {
	const throttled = `{"action":"s3:CreateBucket","latency":"1.5s","code":"SlowDown","message":"wait","status":503,"times":3}`
	const denied = `{"action":"sts:GetCallerIdentity","code":"AccessDenied","status":400}`
	cases := map[string]struct {
		requests   [][3]string // method, query, body
		wantStatus int
		wantBody   string
	}{
		"Nothing is set at first.":                {[][3]string{{"GET", "", ""}}, 200, "[]\n"},
		"What is set is told.":                    {[][3]string{{"PUT", "", throttled}}, 200, "[" + throttled + "]\n"},
		"Faults of several actions are sorted.":   {[][3]string{{"PUT", "", denied}, {"PUT", "", throttled}, {"GET", "", ""}}, 200, "[" + throttled + "," + denied + "]\n"},
		"A fault replaces the one of its action.": {[][3]string{{"PUT", "", `{"action":"sts:GetCallerIdentity","code":"X"}`}, {"PUT", "", denied}}, 200, "[" + denied + "]\n"},
		"One is taken back by its action.":        {[][3]string{{"PUT", "", denied}, {"PUT", "", throttled}, {"DELETE", "?action=s3:CreateBucket", ""}}, 200, "[" + denied + "]\n"},
		"All are taken back at once.":             {[][3]string{{"PUT", "", denied}, {"PUT", "", throttled}, {"DELETE", "", ""}}, 200, "[]\n"},
		"An action that does not exist is refused.": {
			[][3]string{{"PUT", "", `{"action":"s3:CreateBuckets"}`}}, 400, `"action" is "s3:CreateBuckets", want one that awsemu answers, such as "rds:CreateDBInstance"` + "\n",
		},
		"A misspelt field is refused.":          {[][3]string{{"PUT", "", `{"action":"s3:CreateBucket","delay":"1s"}`}}, 400, "the body is not a fault: json: unknown field \"delay\"\n"},
		"A status that is no error is refused.": {[][3]string{{"PUT", "", `{"action":"s3:CreateBucket","status":200}`}}, 400, "\"status\" is 200, want an HTTP error status\n"},
		"A latency without a unit is refused.":  {[][3]string{{"PUT", "", `{"action":"s3:CreateBucket","latency":"5"}`}}, 400, "\"latency\" is \"5\", want a duration such as \"1.5s\"\n"},
		"A negative number is refused.":         {[][3]string{{"PUT", "", `{"action":"s3:CreateBucket","times":-1}`}}, 400, "\"times\" and \"latency\" must not be negative\n"},
		"Other methods are refused.":            {[][3]string{{"POST", "", denied}}, 405, "GET, PUT or DELETE\n"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			c := newTestClient(t)
			var got answer
			for _, r := range test.requests {
				got = c.do("", r[0], "/_emu/faults"+r[1], r[2])
			}
			if got.status != test.wantStatus {
				t.Errorf("got status %d, want %d", got.status, test.wantStatus)
			}
			if diff := cmp.Diff(test.wantBody, got.body); diff != "" {
				t.Error(diff)
			}
		})
	}
}
