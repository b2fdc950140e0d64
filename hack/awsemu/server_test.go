package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestServer_ServeHTTP(t *testing.T) {
	c := newTestClient(t)
	query := []string{"Content-Type", "application/x-www-form-urlencoded"}
	cases := map[string]struct {
		service, method, path, body string
		header                      []string
		wantStatus                  int
		wantBody                    string // a part of it
	}{
		"The query protocol has a result and metadata.": {
			"sts", "POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", query, 200,
			`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:root</Arn>`,
		},
		"EC2's dialect has neither.": {
			"ec2", "POST", "/", "Action=DescribeNetworkInterfaces", query, 200, `<networkInterfaceSet></networkInterfaceSet></DescribeNetworkInterfacesResponse>`,
		},
		"A query-protocol error has a type.": {
			"sts", "POST", "/", "Action=AssumeRole", query, 400,
			`<Error><Type>Sender</Type><Code>InvalidAction</Code><Message>awsemu does not have the action AssumeRole</Message></Error>`,
		},
		"An EC2 error is one of a list.": {
			"ec2", "POST", "/", "Action=RunInstances", query, 400,
			`<Response><Errors><Error><Code>InvalidAction</Code><Message>awsemu does not have the action RunInstances</Message></Error></Errors>`,
		},
		"The JSON protocol takes the action from a header.": {
			"secretsmanager", "POST", "/", "{}", []string{"X-Amz-Target", "secretsmanager.GetRandomPassword"}, 200, `{"RandomPassword":"`,
		},
		"A JSON error has a type.": {
			"secretsmanager", "POST", "/", "{}", []string{"X-Amz-Target", "secretsmanager.RotateSecret"}, 400,
			`{"__type":"UnknownOperationException","message":"awsemu does not have the action RotateSecret"}`,
		},
		"A JSON parameter that is not there is named.": {
			"sqs", "POST", "/", `{"QueueUrl":"q","Speed":1}`, []string{"X-Amz-Target", "AmazonSQS.DeleteQueue"}, 400, `unknown field \"Speed\"`,
		},
		"An S3 error is the whole document.": {
			"s3", "GET", "/no-such-bucket?versioning", "", nil, 404, `<Error><Code>NoSuchBucket</Code>`,
		},
		"A service that is not there is named.": {
			"lambda", "GET", "/", "", nil, 501, `awsemu has no service "lambda"`,
		},
		"Health is told without a signature.": {
			"", "GET", "/_emu/health", "", nil, 200, `{"status":"ok"}`,
		},
		"An empty account has an empty list of resources.": {
			"", "GET", "/_emu/resources", "", nil, 200, "[]\n",
		},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got := c.do(test.service, test.method, test.path, test.body, test.header...)
			if got.status != test.wantStatus || !strings.Contains(got.body, test.wantBody) {
				t.Errorf("got %d\n%s\nwant %d\n%s", got.status, got.body, test.wantStatus, test.wantBody)
			}
		})
	}
}

func TestServer_resources(t *testing.T) {
	c := newTestClient(t)
	group := c.mustQuery("ec2", "CreateSecurityGroup", "GroupName", "web", "GroupDescription", "d",
		"TagSpecification.1.ResourceType", "security-group", "TagSpecification.1.Tag.1.Key", "team", "TagSpecification.1.Tag.1.Value", "shop").element(t, "groupId")
	rule := c.mustQuery("ec2", "DescribeSecurityGroupRules", "Filter.1.Name", "group-id", "Filter.1.Value.1", group).element(t, "securityGroupRuleId")
	c.do("s3", "PUT", "/uploads", "")
	c.do("s3", "PUT", "/uploads?tagging", `<Tagging><TagSet><Tag><Key>team</Key><Value>shop</Value></Tag></TagSet></Tagging>`)

	want := `[{"service":"ec2","type":"security-group","id":"` + group + `","tags":{"team":"shop"}},` +
		`{"service":"ec2","type":"security-group-rule","id":"` + rule + `","tags":{}},` +
		`{"service":"s3","type":"bucket","id":"uploads","tags":{"team":"shop"}}]` + "\n"
	if diff := cmp.Diff(want, c.do("", "GET", "/_emu/resources", "").body); diff != "" {
		t.Error(diff)
	}
}

func Test_credentialScope(t *testing.T) {
	cases := map[string]struct {
		header, query, key, region, service string
	}{
		"A signed request names both.": {
			header: "AWS4-HMAC-SHA256 Credential=AK/20260101/eu-west-1/rds/aws4_request, SignedHeaders=host, Signature=ab", key: "AK", region: "eu-west-1", service: "rds",
		},
		"No blanks are needed between the parts.": {
			header: "AWS4-HMAC-SHA256 Credential=AK/20260101/eu-west-1/ec2/aws4_request,SignedHeaders=host,Signature=ab", key: "AK", region: "eu-west-1", service: "ec2",
		},
		"A presigned URL has it in the query.": {
			query: "?X-Amz-Credential=AK%2F20260101%2Feu-west-1%2Fs3%2Faws4_request", key: "AK", region: "eu-west-1", service: "s3",
		},
		"An anonymous request is one to S3.":                         {region: "us-east-1", service: "s3"},
		"A scope that is none counts as none.":                       {header: "AWS4-HMAC-SHA256 Credential=AK", region: "us-east-1", service: "s3"},
		"A region that would break an answer is not passed through.": {header: "Credential=AK/1/<x>/rds/aws4_request", region: "us-east-1", service: "s3"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/"+test.query, nil)
			if test.header != "" {
				r.Header.Set("Authorization", test.header)
			}
			key, region, service := credentialScope(r)
			if key != test.key || region != test.region || service != test.service {
				t.Errorf("got %s, %s, %s, want %s, %s, %s", key, region, service, test.key, test.region, test.service)
			}
		})
	}
}
