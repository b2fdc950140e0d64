package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sqs is the Simple Queue Service: queues with their settings, and messages.
type sqs struct {
	store *store
	now   func() time.Time
}

// queue is a queue and the messages in it.
type queue struct {
	Name       string
	ARN        string
	Attributes map[string]string // what was set, and the defaults
	Tags       tags
	CreatedAt  time.Time
	ChangedAt  time.Time
	Messages   []*message           `json:",omitempty"`
	Seen       map[string]time.Time `json:",omitempty"` // when a deduplication id was last taken
}

func newSQS(store *store, now func() time.Time) *jsonService {
	s := sqs{store, now}
	return &jsonService{
		version: "1.0",
		target:  "AmazonSQS.",
		table: map[string]jsonAction{
			"ChangeMessageVisibility": jsonCall(s.changeVisibility),
			"CreateQueue":             jsonCall(s.createQueue),
			"DeleteMessage":           jsonCall(s.deleteMessage),
			"DeleteQueue":             jsonCall(s.deleteQueue),
			"GetQueueAttributes":      jsonCall(s.getAttributes),
			"GetQueueUrl":             jsonCall(s.getURL),
			"ListQueueTags":           jsonCall(s.listTags),
			"ListQueues":              jsonCall(s.listQueues),
			"PurgeQueue":              jsonCall(s.purge),
			"ReceiveMessage":          jsonCall(s.receive),
			"SendMessage":             jsonCall(s.send),
			"SetQueueAttributes":      jsonCall(s.setAttributes),
			"TagQueue":                jsonCall(s.tag),
			"UntagQueue":              jsonCall(s.untag),
		},
		legacyCodes: map[string]string{
			noSuchQueue:          "AWS.SimpleQueueService.NonExistentQueue",
			"QueueNameExists":    "QueueAlreadyExists",
			"MessageNotInflight": "AWS.SimpleQueueService.MessageNotInflight",
		},
	}
}

const noSuchQueue = "QueueDoesNotExist"

// reusePeriod is an attribute that only queues with a KMS key have.
const reusePeriod = "KmsDataKeyReusePeriodSeconds"

// queueURL is where clients reach the queue: the endpoint that they have called.
func queueURL(c *call, name string) string { return "http://" + c.Host + "/" + account + "/" + name }

// queue finds a queue by its URL, of which only the name counts: the host depends on how a client reaches this machine.
func (s *state) queue(url string) (*queue, error) {
	if q := s.Queues[url[strings.LastIndex(url, "/")+1:]]; q != nil {
		return q, nil
	}
	return nil, badRequest(noSuchQueue, "The specified queue does not exist.")
}

// queueRanges are the attributes that are numbers, with their limits and defaults.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func queueRanges() map[string]struct{ least, most, value int } {
	return map[string]struct{ least, most, value int }{
		"DelaySeconds":                  {0, 900, 0},
		reusePeriod:                     {60, 86400, 300},
		"MaximumMessageSize":            {1024, 262144, 262144},
		"MessageRetentionPeriod":        {60, 1209600, 345600},
		"ReceiveMessageWaitTimeSeconds": {0, 20, 0},
		"VisibilityTimeout":             {0, 43200, 30},
	}
}

// queueChoices are the attributes that have one of a few values; the first is the default.
func queueChoices() map[string][]string {
	return map[string][]string{
		"ContentBasedDeduplication": {"false", "true"},
		"DeduplicationScope":        {"queue", "messageGroup"},
		"FifoThroughputLimit":       {"perQueue", "perMessageGroupId"},
		"SqsManagedSseEnabled":      {"true", "false"},
	}
}

func newQueueAttributes(fifo bool) map[string]string {
	attributes := map[string]string{"SqsManagedSseEnabled": "true"}
	for name, limits := range queueRanges() {
		attributes[name] = strconv.Itoa(limits.value)
	}
	delete(attributes, reusePeriod)
	if fifo {
		attributes["FifoQueue"] = "true"
		for _, name := range []string{"ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"} {
			attributes[name] = queueChoices()[name][0]
		}
	}
	return attributes
}

// checkAttribute applies SQS's rules to one attribute of a call.
func (s *state) checkAttribute(name, value string, fifo bool) error {
	wrong := badRequest("InvalidAttributeValue", "Invalid value for the parameter %s.", name)
	if limits, ok := queueRanges()[name]; ok {
		if n, err := strconv.Atoi(value); err != nil || n < limits.least || n > limits.most {
			return wrong
		}
		return nil
	}
	if choices, ok := queueChoices()[name]; ok {
		if !slices.Contains(choices, value) {
			return wrong
		}
		if name != "SqsManagedSseEnabled" && !fifo {
			return badRequest("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
		return nil
	}
	switch name {
	case "FifoQueue", "KmsMasterKeyId":
		return nil
	case "Policy", "RedriveAllowPolicy":
		if value != "" && !json.Valid([]byte(value)) {
			return wrong
		}
		return nil
	case "RedrivePolicy":
		return s.checkRedrive(value, fifo)
	}
	return badRequest("InvalidAttributeName", "Unknown Attribute %s.", name)
}

// redrivePolicy says when a message goes to the dead-letter queue.
type redrivePolicy struct {
	Target string      `json:"deadLetterTargetArn"`
	Count  json.Number `json:"maxReceiveCount"` // some write it as a string, which is taken, too
}

func (s *state) checkRedrive(value string, fifo bool) error {
	if value == "" {
		return nil
	}
	var policy redrivePolicy
	if err := json.Unmarshal([]byte(value), &policy); err != nil {
		return badRequest("InvalidParameterValue", "Value %s for parameter RedrivePolicy is invalid. Reason: Redrive policy is not a valid JSON map.", value)
	}
	if count := atoi(policy.Count.String()); count < 1 || count > 1000 {
		return badRequest("InvalidParameterValue",
			"Value %s for parameter RedrivePolicy is invalid. Reason: Invalid value for maxReceiveCount: %s, valid values are from 1 to 1000 both inclusive.", value, policy.Count)
	}
	target := s.queueByARN(policy.Target)
	if target == nil {
		return badRequest("InvalidParameterValue", "Value %s for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.", value)
	}
	if target.fifo() != fifo {
		return badRequest("InvalidParameterValue", "Value %s for parameter RedrivePolicy is invalid. Reason: Dead-letter queue must be same type of queue as the source.", value)
	}
	return nil
}

func (s *state) queueByARN(arn string) *queue {
	for _, q := range s.Queues {
		if q.ARN == arn {
			return q
		}
	}
	return nil
}

func (q *queue) fifo() bool { return q.Attributes["FifoQueue"] == "true" }

// set applies attributes that were checked. An empty value removes one.
func (q *queue) set(attributes map[string]string) {
	for name, value := range attributes {
		q.Attributes[name] = value
		if value == "" {
			delete(q.Attributes, name)
		}
	}
	if key := attributes["KmsMasterKeyId"]; key != "" {
		q.Attributes["SqsManagedSseEnabled"] = "false" // one kind of encryption excludes the other
	}
	if attributes["SqsManagedSseEnabled"] == "true" {
		delete(q.Attributes, "KmsMasterKeyId")
	}
	switch {
	case q.Attributes["KmsMasterKeyId"] == "":
		delete(q.Attributes, reusePeriod)
	case q.Attributes[reusePeriod] == "":
		q.Attributes[reusePeriod] = strconv.Itoa(queueRanges()[reusePeriod].value)
	}
}

type createQueueParams struct {
	QueueName  string
	Attributes map[string]string
	Tags       tags `json:"tags"`
}

func (s sqs) createQueue(c *call, p createQueueParams) (map[string]string, error) {
	name, fifo := strings.TrimSuffix(p.QueueName, ".fifo"), p.Attributes["FifoQueue"] == "true"
	valid := func(r rune) bool {
		return r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
	}
	if name == "" || len(p.QueueName) > 80 || strings.ContainsFunc(name, func(r rune) bool { return !valid(r) }) || fifo != strings.HasSuffix(p.QueueName, ".fifo") {
		return nil, badRequest("InvalidParameterValue",
			"Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length; a FIFO queue's name ends in .fifo, and no other's")
	}
	now := s.now().UTC()
	made := &queue{
		Name: p.QueueName, ARN: "arn:aws:sqs:" + c.region + ":" + account + ":" + p.QueueName, Attributes: newQueueAttributes(fifo), Tags: tags{},
		CreatedAt: now, ChangedAt: now,
	}
	maps.Copy(made.Tags, p.Tags)
	made.set(p.Attributes)
	err := s.store.write(func(st *state) error {
		for attribute, value := range p.Attributes {
			if err := st.checkAttribute(attribute, value, fifo); err != nil {
				return err
			}
		}
		if there := st.Queues[p.QueueName]; there != nil && !maps.Equal(there.Attributes, made.Attributes) {
			return badRequest("QueueNameExists", "A queue already exists with the same name and a different value for an attribute")
		} else if there == nil {
			st.Queues[p.QueueName] = made
		}
		return nil
	})
	return map[string]string{"QueueUrl": queueURL(c, p.QueueName)}, err
}

// ofQueue are the parameters of actions that need no more than the queue.
type ofQueue struct {
	QueueURL string `json:"QueueUrl"`
}

func (s sqs) deleteQueue(_ *call, p ofQueue) (struct{}, error) {
	return struct{}{}, s.store.write(func(st *state) error {
		q, err := st.queue(p.QueueURL)
		if err == nil {
			delete(st.Queues, q.Name)
		}
		return err
	})
}

func (s sqs) purge(_ *call, p ofQueue) (struct{}, error) {
	return struct{}{}, s.change(p.QueueURL, func(_ *state, q *queue) error {
		q.Messages = nil
		return nil
	})
}

// change runs fn on a queue, under the store's lock.
func (s sqs) change(url string, fn func(st *state, q *queue) error) error {
	return s.store.write(func(st *state) error {
		q, err := st.queue(url)
		if err != nil {
			return err
		}
		return fn(st, q)
	})
}

func (s sqs) getURL(c *call, p struct{ QueueName string }) (map[string]string, error) {
	return map[string]string{"QueueUrl": queueURL(c, p.QueueName)}, s.store.read(func(st *state) error {
		_, err := st.queue(p.QueueName)
		return err
	})
}

func (s sqs) listQueues(c *call, p struct {
	QueueNamePrefix string
	MaxResults      int // a page; all are on the first
}) (map[string][]string, error) {
	urls := []string{}
	err := s.store.read(func(st *state) error {
		for _, name := range slices.Sorted(maps.Keys(st.Queues)) {
			if strings.HasPrefix(name, p.QueueNamePrefix) {
				urls = append(urls, queueURL(c, name))
			}
		}
		return nil
	})
	return map[string][]string{"QueueUrls": urls}, err
}

func (s sqs) setAttributes(_ *call, p struct {
	QueueURL   string `json:"QueueUrl"`
	Attributes map[string]string
}) (struct{}, error) {
	return struct{}{}, s.change(p.QueueURL, func(st *state, q *queue) error {
		for name, value := range p.Attributes {
			if err := st.checkAttribute(name, value, q.fifo()); err != nil {
				return err
			}
			if name == "FifoQueue" {
				return badRequest("InvalidAttributeName", "You cannot change the type of a queue after you create it.")
			}
		}
		q.set(p.Attributes)
		q.ChangedAt = s.now().UTC()
		return nil
	})
}

func (s sqs) getAttributes(_ *call, p struct {
	QueueURL       string `json:"QueueUrl"`
	AttributeNames []string
}) (map[string]map[string]string, error) {
	attributes := map[string]string{}
	err := s.store.read(func(st *state) error {
		q, err := st.queue(p.QueueURL)
		if err != nil {
			return err
		}
		for name, value := range q.allAttributes(s.now()) {
			if slices.Contains(p.AttributeNames, "All") || slices.Contains(p.AttributeNames, name) {
				attributes[name] = value
			}
		}
		return nil
	})
	return map[string]map[string]string{"Attributes": attributes}, err
}

// allAttributes are what was set, and what SQS knows of its own.
func (q *queue) allAttributes(now time.Time) map[string]string {
	all := maps.Clone(q.Attributes)
	all["QueueArn"] = q.ARN
	all["CreatedTimestamp"] = strconv.FormatInt(q.CreatedAt.Unix(), 10)
	all["LastModifiedTimestamp"] = strconv.FormatInt(q.ChangedAt.Unix(), 10)
	waiting, inFlight, delayed := q.count(now)
	all["ApproximateNumberOfMessages"] = strconv.Itoa(waiting)
	all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(inFlight)
	all["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(delayed)
	return all
}

func (s sqs) tag(_ *call, p struct {
	QueueURL string `json:"QueueUrl"`
	Tags     tags
}) (struct{}, error) {
	return struct{}{}, s.change(p.QueueURL, func(_ *state, q *queue) error {
		maps.Copy(q.Tags, p.Tags)
		return nil
	})
}

func (s sqs) untag(_ *call, p struct {
	QueueURL string `json:"QueueUrl"`
	TagKeys  []string
}) (struct{}, error) {
	return struct{}{}, s.change(p.QueueURL, func(_ *state, q *queue) error {
		for _, key := range p.TagKeys {
			delete(q.Tags, key)
		}
		return nil
	})
}

func (s sqs) listTags(_ *call, p ofQueue) (map[string]tags, error) {
	t := tags{}
	err := s.store.read(func(st *state) error {
		q, err := st.queue(p.QueueURL)
		if err == nil {
			maps.Copy(t, q.Tags)
		}
		return err
	})
	return map[string]tags{"Tags": t}, err
}

func sqsResources(st *state) []resource {
	var list []resource
	for _, name := range slices.Sorted(maps.Keys(st.Queues)) {
		list = append(list, newResource("sqs", "queue", name, maps.Clone(st.Queues[name].Tags)))
	}
	return list
}
