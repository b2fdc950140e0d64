package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// newQueue makes a queue and returns the parameter that names it.
func newQueue(c *testClient, name, attributes string) string {
	c.t.Helper()
	url := c.mustJSON("sqs", "CreateQueue", fmt.Sprintf(`{"QueueName":%q,"Attributes":{%s}}`, name, attributes))["QueueUrl"]
	return fmt.Sprintf(`"QueueUrl":%q`, url)
}

// queueAttributes returns the attributes that are asked for.
func queueAttributes(c *testClient, q string, names ...string) map[string]any {
	c.t.Helper()
	got := c.mustJSON("sqs", "GetQueueAttributes", fmt.Sprintf(`{%s,"AttributeNames":["%s"]}`, q, strings.Join(names, `","`)))
	return got["Attributes"].(map[string]any)
}

func TestSQS_createQueue(t *testing.T) {
	cases := map[string]struct {
		name, attributes string
		want             map[string]any // some of the attributes
		wantCode         string
	}{
		"What is not given has SQS's default.":      {"orders", ``, map[string]any{"VisibilityTimeout": "30", "SqsManagedSseEnabled": "true", "MessageRetentionPeriod": "345600"}, ""},
		"What is given is kept.":                    {"orders", `"VisibilityTimeout":"120"`, map[string]any{"VisibilityTimeout": "120"}, ""},
		"A KMS key takes the place of SQS's own.":   {"orders", `"KmsMasterKeyId":"k"`, map[string]any{"KmsMasterKeyId": "k", "SqsManagedSseEnabled": "false", "KmsDataKeyReusePeriodSeconds": "300"}, ""},
		"A FIFO queue has more attributes.":         {"orders.fifo", `"FifoQueue":"true"`, map[string]any{"FifoQueue": "true", "DeduplicationScope": "queue"}, ""},
		"A FIFO queue's name says so.":              {"orders", `"FifoQueue":"true"`, nil, "InvalidParameterValue"},
		"And no other's.":                           {"orders.fifo", ``, nil, "InvalidParameterValue"},
		"A name with a blank.":                      {"or ders", ``, nil, "InvalidParameterValue"},
		"A number out of its range.":                {"orders", `"VisibilityTimeout":"43201"`, nil, "InvalidAttributeValue"},
		"A choice that is none.":                    {"orders", `"SqsManagedSseEnabled":"perhaps"`, nil, "InvalidAttributeValue"},
		"An attribute of FIFO queues.":              {"orders", `"ContentBasedDeduplication":"true"`, nil, "InvalidAttributeName"},
		"An attribute that is none.":                {"orders", `"Speed":"1"`, nil, "InvalidAttributeName"},
		"A policy that is no JSON.":                 {"orders", `"Policy":"{"`, nil, "InvalidAttributeValue"},
		"A dead-letter queue that is not there.":    {"orders", `"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:x\",\"maxReceiveCount\":3}"`, nil, "InvalidParameterValue"},
		"A dead-letter queue without a limit.":      {"orders", `"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:x\"}"`, nil, "InvalidParameterValue"},
		"A dead-letter queue of the other kind.":    {"orders.fifo", `"FifoQueue":"true","RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-central-1:123456789012:dead\",\"maxReceiveCount\":3}"`, nil, "InvalidParameterValue"},
		"The limit may be spelt as a string.":       {"orders", `"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-central-1:123456789012:dead\",\"maxReceiveCount\":\"3\"}"`, map[string]any{}, ""},
		"The same queue again is the same queue.":   {"dead", ``, map[string]any{"VisibilityTimeout": "30"}, ""},
		"The same name for another is an error.":    {"dead", `"VisibilityTimeout":"31"`, nil, "QueueNameExists"},
		"The name of a queue has a limit of eighty": {strings.Repeat("a", 81), ``, nil, "InvalidParameterValue"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			c := newTestClient(t)
			newQueue(c, "dead", "")
			got := c.json("sqs", "CreateQueue", fmt.Sprintf(`{"QueueName":%q,"Attributes":{%s}}`, test.name, test.attributes))
			if got.jsonType() != test.wantCode {
				t.Fatalf("got %s, want %q", got.body, test.wantCode)
			}
			if test.want == nil {
				return
			}
			attributes := queueAttributes(c, fmt.Sprintf(`"QueueUrl":"x/%s"`, test.name), "All")
			for attribute, want := range test.want {
				if attributes[attribute] != want {
					t.Errorf("%s is %v, want %v", attribute, attributes[attribute], want)
				}
			}
		})
	}
}

func TestSQS_setAttributes(t *testing.T) {
	c := newTestClient(t)
	q := newQueue(c, "orders", `"Policy":"{}","KmsMasterKeyId":"k","KmsDataKeyReusePeriodSeconds":"600"`)
	c.mustJSON("sqs", "SetQueueAttributes", `{`+q+`,"Attributes":{"Policy":"","DelaySeconds":"5"}}`)
	want := map[string]any{"DelaySeconds": "5", "SqsManagedSseEnabled": "false", "KmsMasterKeyId": "k", reusePeriod: "600"}
	if diff := cmp.Diff(want, queueAttributes(c, q, "Policy", "DelaySeconds", "SqsManagedSseEnabled", "KmsMasterKeyId", reusePeriod)); diff != "" {
		t.Error(diff)
	}
	c.mustJSON("sqs", "SetQueueAttributes", `{`+q+`,"Attributes":{"SqsManagedSseEnabled":"true"}}`)
	if got := queueAttributes(c, q, "KmsMasterKeyId", reusePeriod); len(got) != 0 {
		t.Errorf("a key is left: %v", got)
	}
	if got := c.json("sqs", "SetQueueAttributes", `{`+q+`,"Attributes":{"FifoQueue":"true"}}`); got.jsonType() != "InvalidAttributeName" {
		t.Errorf("another type: %s", got.body)
	}
}

func TestSQS_queues(t *testing.T) {
	c := newTestClient(t)
	q := newQueue(c, "orders", "")
	c.mustJSON("sqs", "TagQueue", `{`+q+`,"Tags":{"team":"shop","tier":"1"}}`)
	c.mustJSON("sqs", "UntagQueue", `{`+q+`,"TagKeys":["tier"]}`)
	if diff := cmp.Diff(map[string]any{"team": "shop"}, c.mustJSON("sqs", "ListQueueTags", `{`+q+`}`)["Tags"]); diff != "" {
		t.Error(diff)
	}
	if got, want := c.do("", "GET", "/_emu/resources", "").body, `[{"service":"sqs","type":"queue","id":"orders","tags":{"team":"shop"}}]`+"\n"; got != want {
		t.Errorf("got %s want %s", got, want)
	}
	url := c.mustJSON("sqs", "GetQueueUrl", `{"QueueName":"orders"}`)["QueueUrl"]
	if diff := cmp.Diff([]any{url}, c.mustJSON("sqs", "ListQueues", `{"QueueNamePrefix":"o"}`)["QueueUrls"]); diff != "" {
		t.Error(diff)
	}
	c.mustJSON("sqs", "DeleteQueue", `{`+q+`}`)
	got := c.json("sqs", "GetQueueAttributes", `{`+q+`}`)
	if got.jsonType() != "QueueDoesNotExist" || got.header.Get("X-Amzn-Query-Error") != "AWS.SimpleQueueService.NonExistentQueue;Sender" {
		t.Errorf("a deleted queue: %v %s", got.header, got.body)
	}
}

// receive returns the bodies of the messages that are there now, and the receipt of the last one.
func receive(c *testClient, q string) (bodies []string, receipt string) {
	c.t.Helper()
	list, _ := c.mustJSON("sqs", "ReceiveMessage", `{`+q+`,"MaxNumberOfMessages":10,"AttributeNames":["All"]}`)["Messages"].([]any)
	for _, m := range list {
		bodies, receipt = append(bodies, m.(map[string]any)["Body"].(string)), m.(map[string]any)["ReceiptHandle"].(string)
	}
	return bodies, receipt
}

func TestSQS_messages(t *testing.T) {
	c := newTestClient(t)
	newQueue(c, "dead", "")
	q := newQueue(c, "orders", `"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-central-1:123456789012:dead\",\"maxReceiveCount\":2}"`)
	want := func(when, queue string, want ...string) string {
		t.Helper()
		got, receipt := receive(c, queue)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", when, diff)
		}
		return receipt
	}
	sent := c.mustJSON("sqs", "SendMessage", `{`+q+`,"MessageBody":"one"}`)
	if sent["MD5OfMessageBody"] != "f97c5d29941bfb1b2fdab0874906ab82" {
		t.Errorf("got %v, which is not the MD5 of one", sent)
	}
	want("At first", q, "one")
	want("While it is in flight", q)
	if got := queueAttributes(c, q, "ApproximateNumberOfMessagesNotVisible")["ApproximateNumberOfMessagesNotVisible"]; got != "1" {
		t.Errorf("%v in flight", got)
	}
	*c.now = c.now.Add(30 * time.Second)
	receipt := want("After the visibility timeout", q, "one")
	c.mustJSON("sqs", "ChangeMessageVisibility", fmt.Sprintf(`{%s,"ReceiptHandle":%q,"VisibilityTimeout":0}`, q, receipt))
	want("Received too often", q)
	receipt = want("In the dead-letter queue", `"QueueUrl":"/dead"`, "one")
	c.mustJSON("sqs", "DeleteMessage", fmt.Sprintf(`{"QueueUrl":"/dead","ReceiptHandle":%q}`, receipt))
	*c.now = c.now.Add(time.Hour)
	want("Deleted", `"QueueUrl":"/dead"`)

	c.mustJSON("sqs", "SendMessage", `{`+q+`,"MessageBody":"late","DelaySeconds":60}`)
	want("While it is delayed", q)
	*c.now = c.now.Add(time.Minute)
	want("After the delay", q, "late")
	*c.now = c.now.AddDate(0, 0, 4)
	want("After the retention period", q)
	c.mustJSON("sqs", "SendMessage", `{`+q+`,"MessageBody":"x"}`)
	c.mustJSON("sqs", "PurgeQueue", `{`+q+`}`)
	want("Purged", q)
}

func TestSQS_fifo(t *testing.T) {
	c := newTestClient(t)
	q := newQueue(c, "orders.fifo", `"FifoQueue":"true","ContentBasedDeduplication":"true"`)
	for _, body := range []string{"one", "one", "two"} {
		c.mustJSON("sqs", "SendMessage", `{`+q+`,"MessageBody":"`+body+`","MessageGroupId":"a"}`)
	}
	list := c.mustJSON("sqs", "ReceiveMessage", `{`+q+`}`)["Messages"].([]any)
	if got, _ := receive(c, q); len(list) != 1 || len(got) != 0 {
		t.Errorf("got %v while the first of the group was in flight", got)
	}
	c.mustJSON("sqs", "DeleteMessage", fmt.Sprintf(`{%s,"ReceiptHandle":%q}`, q, list[0].(map[string]any)["ReceiptHandle"]))
	if got, _ := receive(c, q); !cmp.Equal(got, []string{"two"}) {
		t.Errorf("got %v, want two, and one no second time", got)
	}
	if got := c.json("sqs", "SendMessage", `{`+q+`,"MessageBody":"x"}`); got.jsonType() != "MissingParameter" {
		t.Errorf("without a group: %s", got.body)
	}
}

func TestSQS_receive_waits(t *testing.T) {
	c := newTestClient(t)
	q := newQueue(c, "orders", `"ReceiveMessageWaitTimeSeconds":"20"`)
	var sender sync.WaitGroup
	defer sender.Wait() // the receiver may have the message before the sender has its answer
	sender.Go(func() {
		time.Sleep(3 * pollInterval)
		c.json("sqs", "SendMessage", `{`+q+`,"MessageBody":"late"}`)
	})
	if got, _ := receive(c, q); !cmp.Equal(got, []string{"late"}) {
		t.Errorf("got %v, want the message that came meanwhile", got)
	}
}
