// Command prometheus answers queries as Prometheus does, from scrapes that it is given:
// for the test of the dashboard and the alerts (cmd/controller). It has a go.mod of its
// own, because Prometheus wants newer versions of what the controller is made of.
//
// It reads a request as JSON from its standard input, and writes the answers as JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"
)

// request is what the command reads.
type request struct {
	// Scrapes are in the order of their times.
	Scrapes []scrape `json:"scrapes"`
	// Queries are answered as of the last scrape.
	Queries []string `json:"queries"`
}

// scrape is what one target answered at one time.
type scrape struct {
	// At is the time.
	At time.Time `json:"at"`
	// Labels are those that Prometheus adds to the target's, such as job.
	Labels map[string]string `json:"labels"`
	// Text is in the exposition format.
	Text string `json:"text"`
}

// answer is the answer to one query.
type answer struct {
	// Query is as it was asked.
	Query string `json:"query"`
	// Series is how many series it returns, and Data how many it has to compare: those
	// of an alert whose threshold is not reached. A value that is not a number is none.
	Series int `json:"series"`
	Data   int `json:"data"`
	// Error is why there is no answer.
	Error string `json:"error,omitempty"`
}

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "prometheus: %s\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	var r request
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	if len(r.Scrapes) == 0 {
		return fmt.Errorf("the request has no scrapes")
	}
	dir, err := os.MkdirTemp("", "groundwork-prometheus-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := open(dir)
	if err != nil {
		return err
	}
	defer s.close()
	for _, scrape := range r.Scrapes {
		if err := s.add(ctx, scrape); err != nil {
			return fmt.Errorf("scrape of %s: %w", scrape.At, err)
		}
	}
	return json.NewEncoder(out).Encode(s.answers(ctx, r))
}
