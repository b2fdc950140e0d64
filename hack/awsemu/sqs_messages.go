package main

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// message is a message in a queue.
type message struct {
	ID         string
	Body       string
	Attributes map[string]json.RawMessage `json:",omitempty"` // of the sender, as they came
	Group      string                     `json:",omitempty"` // in FIFO queues; none is delivered beside another one of its group
	Receipt    string                     `json:",omitempty"` // of the last time that it was received
	SentAt     time.Time
	VisibleAt  time.Time
	FirstAt    time.Time `json:",omitzero"` // when it was first received
	Received   int       // how often
}

// deduplication is how long FIFO queues know an id again.
const deduplication = 5 * time.Minute

// pollInterval is how often a waiting ReceiveMessage looks for a message.
const pollInterval = 100 * time.Millisecond

type sendParams struct {
	QueueURL               string `json:"QueueUrl"`
	MessageBody            string
	DelaySeconds           *int
	MessageAttributes      map[string]json.RawMessage
	MessageGroupID         string `json:"MessageGroupId"`
	MessageDeduplicationID string `json:"MessageDeduplicationId"`
}

func (s sqs) send(_ *call, p sendParams) (map[string]string, error) {
	now := s.now().UTC()
	sent := &message{ID: newUUID(), Body: p.MessageBody, Attributes: p.MessageAttributes, Group: p.MessageGroupID, SentAt: now}
	err := s.change(p.QueueURL, func(_ *state, q *queue) error {
		if err := q.checkMessage(&p); err != nil {
			return err
		}
		delay := atoi(q.Attributes["DelaySeconds"])
		if p.DelaySeconds != nil {
			delay = *p.DelaySeconds
		}
		sent.VisibleAt = now.Add(time.Duration(delay) * time.Second)
		if q.fifo() && q.takenBefore(p.MessageDeduplicationID, now) {
			return nil
		}
		q.Messages = append(q.Messages, sent)
		return nil
	})
	return map[string]string{"MessageId": sent.ID, "MD5OfMessageBody": md5Hex(p.MessageBody)}, err
}

// checkMessage applies SQS's rules, and fills in the deduplication id that a FIFO queue derives from the content.
func (q *queue) checkMessage(p *sendParams) error {
	if p.MessageBody == "" {
		return badRequest("MissingParameter", "The request must contain the parameter MessageBody.")
	}
	if most := atoi(q.Attributes["MaximumMessageSize"]); len(p.MessageBody) > most {
		return badRequest("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", most)
	}
	if p.DelaySeconds != nil && (*p.DelaySeconds < 0 || *p.DelaySeconds > 900 || q.fifo()) {
		return badRequest("InvalidParameterValue", "Value %d for parameter DelaySeconds is invalid.", *p.DelaySeconds)
	}
	if !q.fifo() {
		return nil
	}
	if p.MessageGroupID == "" {
		return badRequest("MissingParameter", "The request must contain the parameter MessageGroupId.")
	}
	if p.MessageDeduplicationID == "" && q.Attributes["ContentBasedDeduplication"] == "true" {
		sum := sha256.Sum256([]byte(p.MessageBody))
		p.MessageDeduplicationID = hex.EncodeToString(sum[:])
	}
	if p.MessageDeduplicationID == "" {
		return badRequest("InvalidParameterValue", "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	}
	return nil
}

// takenBefore tells whether a message with this deduplication id came a short while ago, and keeps the id.
func (q *queue) takenBefore(id string, now time.Time) bool {
	for seen, at := range q.Seen {
		if now.Sub(at) >= deduplication {
			delete(q.Seen, seen)
		}
	}
	if _, ok := q.Seen[id]; ok {
		return true
	}
	orNew(&q.Seen)
	q.Seen[id] = now
	return false
}

type receiveParams struct {
	QueueURL                    string `json:"QueueUrl"`
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
	AttributeNames              []string
	MessageAttributeNames       []string
	MessageSystemAttributeNames []string
	ReceiveRequestAttemptID     string `json:"ReceiveRequestAttemptId"` // accepted: no attempt is answered twice here
}

type receivedMessage struct {
	MessageID         string `json:"MessageId"`
	ReceiptHandle     string
	Body              string
	MD5OfBody         string
	Attributes        map[string]string          `json:",omitempty"`
	MessageAttributes map[string]json.RawMessage `json:",omitempty"`
}

// receive answers at once when there is a message, and else waits as long as the call or the queue says.
func (s sqs) receive(c *call, p receiveParams) (map[string][]receivedMessage, error) {
	most := orElse(p.MaxNumberOfMessages, 1)
	if most < 1 || most > 10 {
		return nil, badRequest("InvalidParameterValue", "Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", most)
	}
	deadline := time.Time{}
	for {
		var due bool
		err := s.store.read(func(st *state) error {
			q, err := st.queue(p.QueueURL)
			if err != nil {
				return err
			}
			due = q.due(s.now())
			if wait := orElse(p.WaitTimeSeconds, atoi(q.Attributes["ReceiveMessageWaitTimeSeconds"])); deadline.IsZero() {
				deadline = time.Now().Add(time.Duration(wait) * time.Second)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		var received []receivedMessage
		if due {
			err = s.change(p.QueueURL, func(st *state, q *queue) error {
				received = q.take(st, p, most, s.now().UTC())
				return nil
			})
		}
		if err != nil || len(received) > 0 || !time.Now().Before(deadline) {
			return map[string][]receivedMessage{"Messages": received}, err
		}
		select {
		case <-time.After(pollInterval):
		case <-c.Context().Done():
			return nil, c.Context().Err()
		}
	}
}

// due tells whether a message is visible, so that take has something to do.
func (q *queue) due(now time.Time) bool {
	return slices.ContainsFunc(q.Messages, func(m *message) bool { return !m.VisibleAt.After(now) })
}

// take receives messages: they are invisible for a while. Those that were received too often go to the dead-letter
// queue, and those that are too old go.
func (q *queue) take(st *state, p receiveParams, most int, now time.Time) []receivedMessage {
	var redrive redrivePolicy
	_ = json.Unmarshal([]byte(q.Attributes["RedrivePolicy"]), &redrive) // there is none, or it was checked
	dead, limit := st.queueByARN(redrive.Target), atoi(redrive.Count.String())
	hidden := time.Duration(orElse(p.VisibilityTimeout, atoi(q.Attributes["VisibilityTimeout"]))) * time.Second
	retention := time.Duration(atoi(q.Attributes["MessageRetentionPeriod"])) * time.Second

	var received []receivedMessage
	var left []*message
	busy := map[string]bool{} // groups with a message in flight
	for _, m := range q.Messages {
		switch {
		case now.Sub(m.SentAt) >= retention:
			continue
		case m.VisibleAt.After(now):
			busy[m.Group] = m.Group != ""
		case len(received) == most || busy[m.Group]:
		case dead != nil && m.Received >= limit:
			m.Receipt, m.Received, m.FirstAt = "", 0, time.Time{}
			dead.Messages = append(dead.Messages, m)
			continue
		default:
			m.receive(now, hidden)
			received = append(received, m.answer(p))
		}
		left = append(left, m)
	}
	q.Messages = left
	return received
}

func (m *message) receive(now time.Time, hidden time.Duration) {
	m.Receipt, m.VisibleAt = randomHex(32), now.Add(hidden)
	m.Received++
	if m.FirstAt.IsZero() {
		m.FirstAt = now
	}
}

// answer is the message as a client gets it, with the attributes that it asks for.
func (m *message) answer(p receiveParams) receivedMessage {
	answer := receivedMessage{MessageID: m.ID, ReceiptHandle: m.Receipt, Body: m.Body, MD5OfBody: md5Hex(m.Body)}
	if len(p.MessageAttributeNames) > 0 {
		answer.MessageAttributes = m.Attributes
	}
	milliseconds := func(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }
	system := map[string]string{
		"ApproximateFirstReceiveTimestamp": milliseconds(m.FirstAt), "ApproximateReceiveCount": strconv.Itoa(m.Received),
		"SenderId": account, "SentTimestamp": milliseconds(m.SentAt),
	}
	if m.Group != "" {
		system["MessageGroupId"] = m.Group
	}
	asked := slices.Concat(p.AttributeNames, p.MessageSystemAttributeNames)
	maps.DeleteFunc(system, func(name, _ string) bool { return !slices.Contains(asked, "All") && !slices.Contains(asked, name) })
	answer.Attributes = system
	return answer
}

func (s sqs) deleteMessage(_ *call, p struct {
	QueueURL      string `json:"QueueUrl"`
	ReceiptHandle string
}) (struct{}, error) {
	return struct{}{}, s.change(p.QueueURL, func(_ *state, q *queue) error {
		q.Messages = slices.DeleteFunc(q.Messages, func(m *message) bool { return m.Receipt != "" && m.Receipt == p.ReceiptHandle })
		return nil
	})
}

func (s sqs) changeVisibility(_ *call, p struct {
	QueueURL          string `json:"QueueUrl"`
	ReceiptHandle     string
	VisibilityTimeout int
}) (struct{}, error) {
	return struct{}{}, s.change(p.QueueURL, func(_ *state, q *queue) error {
		now := s.now().UTC()
		for _, m := range q.Messages {
			if m.Receipt != "" && m.Receipt == p.ReceiptHandle && m.VisibleAt.After(now) {
				m.VisibleAt = now.Add(time.Duration(p.VisibilityTimeout) * time.Second)
				return nil
			}
		}
		return badRequest("MessageNotInflight", "The specified message isn't in flight.")
	})
}

// count tells how many messages wait, are being worked on, and are not to be seen yet.
func (q *queue) count(now time.Time) (waiting, inFlight, delayed int) {
	for _, m := range q.Messages {
		switch {
		case !m.VisibleAt.After(now):
			waiting++
		case m.Receipt != "":
			inFlight++
		default:
			delayed++
		}
	}
	return waiting, inFlight, delayed
}

func orElse(value *int, other int) int {
	if value == nil {
		return other
	}
	return *value
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// newUUID is a random id in the form that AWS gives to messages and to versions of secrets.
func newUUID() string {
	id := randomHex(32)
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}
