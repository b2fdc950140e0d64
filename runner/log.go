package runner

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

const (
	// keyLog is the key of the Secret that holds a run's log.
	keyLog = "log.gz"
	// AnnotationLogEnded is on a log that goes to the run's end, with the value "true".
	// One without it is of a run that is under way, or whose runner was killed.
	AnnotationLogEnded = "infra.groundwork.dev/log-ended"
)

// LogName returns the name of the Secret that holds the log of a Run.
func LogName(run string) string { return run + "-log" }

// LogData returns the Secret data that holds a log.
func LogData(text []byte) (map[string][]byte, error) {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, err := zip.Write(text)
	if err := errors.Join(err, zip.Close()); err != nil {
		return nil, fmt.Errorf("pack the log: %w", err)
	}
	return map[string][]byte{keyLog: b.Bytes()}, nil
}

// ParseLog reads a log from Secret data.
func ParseLog(data map[string][]byte) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(data[keyLog]))
	if err != nil {
		return nil, fmt.Errorf("the key %q is not a gzipped log: %w", keyLog, err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		return nil, fmt.Errorf("the key %q is not a gzipped log: %w", keyLog, err)
	}
	return text, nil
}
