package main

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// jsonAction carries out one action of a JSON-protocol service and returns what encoding/json makes the answer of.
type jsonAction func(c *call) (any, error)

// jsonService speaks AWS's JSON protocol: a header names the action, parameters and answer are JSON objects.
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html and aws-json-1_1-protocol.html
type jsonService struct {
	version string // of the protocol
	target  string // what comes before the action in the X-Amz-Target header
	table   map[string]jsonAction
	// legacyCodes are the codes that errors had in the query protocol, where it was spoken before and clients may
	// still look for them: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
	legacyCodes map[string]string
}

func (j *jsonService) actions() []string { return slices.Collect(maps.Keys(j.table)) }

func (j *jsonService) action(r *http.Request) (string, error) {
	name := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), j.target)
	if _, ok := j.table[name]; !ok {
		return name, badRequest("UnknownOperationException", "awsemu does not have the action %s", name)
	}
	return name, nil
}

func (j *jsonService) serve(w http.ResponseWriter, c *call) error {
	result, err := j.table[c.action](c)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-amz-json-"+j.version)
	return json.NewEncoder(w).Encode(result)
}

func (j *jsonService) fail(w http.ResponseWriter, _ *call, err *apiError) {
	w.Header().Set("Content-Type", "application/x-amz-json-"+j.version)
	if code, ok := j.legacyCodes[err.Code]; ok {
		w.Header().Set("X-Amzn-Query-Error", code+";Sender")
	}
	w.WriteHeader(err.Status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": err.Code, "message": err.Message}) // an error means the client is gone
}

// jsonCall makes an action of a function that takes its parameters as a struct. A parameter that the struct does not
// have is refused: a client that set it would find it ignored.
func jsonCall[P, R any](do func(c *call, params P) (R, error)) jsonAction {
	return func(c *call) (any, error) {
		var params P
		decoder := json.NewDecoder(c.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&params); err != nil && !errors.Is(err, io.EOF) {
			return nil, badRequest("SerializationException", "awsemu cannot read the parameters: %v", err)
		}
		return do(c, params)
	}
}

// jsonTag is a tag as a Key and a Value.
type jsonTag struct {
	Key   string
	Value string
}

func jsonTagList(t tags) []jsonTag {
	list := []jsonTag{}
	for _, key := range slices.Sorted(maps.Keys(t)) {
		list = append(list, jsonTag{key, t[key]})
	}
	return list
}

func jsonTags(list []jsonTag) tags {
	t := tags{}
	for _, tag := range list {
		t[tag.Key] = tag.Value
	}
	return t
}
