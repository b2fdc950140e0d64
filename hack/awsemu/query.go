package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// queryAction carries out one action of a query-protocol service and returns what encoding/xml makes the result of.
type queryAction func(c *call) (any, error)

// queryService speaks AWS's query protocol: parameters as a form, the answer as XML. EC2 speaks a dialect without result
// and metadata elements. https://smithy.io/2.0/aws/protocols/aws-query-protocol.html and aws-ec2-query-protocol.html
type queryService struct {
	namespace string
	ec2       bool
	table     map[string]queryAction
}

func (q *queryService) actions() []string { return slices.Collect(maps.Keys(q.table)) }

func (q *queryService) action(r *http.Request) (string, error) {
	if err := r.ParseForm(); err != nil {
		return "", badRequest("MalformedQueryString", "the request's form cannot be read: %v", err)
	}
	name := r.Form.Get("Action")
	if _, ok := q.table[name]; !ok {
		return name, badRequest("InvalidAction", "awsemu does not have the action %s", name)
	}
	return name, nil
}

func (q *queryService) serve(w http.ResponseWriter, c *call) error {
	result, err := q.table[c.action](c)
	if err != nil {
		return err
	}
	name := xml.Name{Space: q.namespace, Local: c.action + "Response"}
	if !q.ec2 {
		return writeXML(w, http.StatusOK, queryResponse{XMLName: name, Result: queryResult{c.action + "Result", result}, RequestID: randomHex(32)})
	}
	fields, err := fieldsXML(result)
	if err != nil {
		return err
	}
	return writeXML(w, http.StatusOK, ec2Response{XMLName: name, RequestID: randomHex(32), Fields: fields})
}

type queryResponse struct {
	XMLName   xml.Name
	Result    queryResult
	RequestID string `xml:"ResponseMetadata>RequestId"`
}

type ec2Response struct {
	XMLName   xml.Name
	RequestID string `xml:"requestId"`
	Fields    []byte `xml:",innerxml"`
}

// queryResult is the result element, which is named after the action.
type queryResult struct {
	name   string
	fields any
}

func (r queryResult) MarshalXML(enc *xml.Encoder, _ xml.StartElement) error {
	return enc.EncodeElement(r.fields, xml.StartElement{Name: xml.Name{Local: r.name}})
}

func (q *queryService) fail(w http.ResponseWriter, _ *call, err *apiError) {
	type detail struct {
		Type    string `xml:",omitempty"`
		Code    string
		Message string
	}
	if q.ec2 {
		_ = writeXML(w, err.Status, struct {
			XMLName   xml.Name `xml:"Response"`
			Errors    []detail `xml:"Errors>Error"`
			RequestID string
		}{Errors: []detail{{Code: err.Code, Message: err.Message}}, RequestID: randomHex(32)})
		return
	}
	_ = writeXML(w, err.Status, struct { // which can be encoded
		XMLName   xml.Name
		Error     detail
		RequestID string `xml:"RequestId"`
	}{xml.Name{Space: q.namespace, Local: "ErrorResponse"}, detail{"Sender", err.Code, err.Message}, randomHex(32)})
}

// fieldsXML encodes the fields of a struct without an element around them.
func fieldsXML(value any) ([]byte, error) {
	var buf bytes.Buffer
	if err := xml.NewEncoder(&buf).EncodeElement(value, xml.StartElement{Name: xml.Name{Local: "x"}}); err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	return bytes.TrimSuffix(bytes.TrimPrefix(buf.Bytes(), []byte("<x>")), []byte("</x>")), nil
}

func writeXML(w http.ResponseWriter, status int, value any) error {
	data, err := xml.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding the answer: %w", err)
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(append([]byte(xml.Header), data...)) // an error means the client is gone
	return nil
}

// listParam returns the values of name.1, name.2, … in order.
func listParam(form url.Values, name string) []string {
	var values []string
	for i := 1; form.Has(name + "." + strconv.Itoa(i)); i++ {
		values = append(values, form.Get(name+"."+strconv.Itoa(i)))
	}
	return values
}

// structParams returns the parameters below name.1, name.2, … in order, each as a form of its own.
func structParams(form url.Values, name string) []url.Values {
	var list []url.Values
	for i := 1; ; i++ {
		fields := url.Values{}
		for key, values := range form {
			if rest, ok := strings.CutPrefix(key, name+"."+strconv.Itoa(i)+"."); ok {
				fields[rest] = values
			}
		}
		if len(fields) == 0 {
			return list
		}
		list = append(list, fields)
	}
}

// tagParams reads the tags below name, given as pairs of Key and Value.
func tagParams(form url.Values, name string) tags {
	t := tags{}
	for _, pair := range structParams(form, name) {
		t[pair.Get("Key")] = pair.Get("Value")
	}
	return t
}

// queryTag is a tag in an answer, except in those of EC2.
type queryTag struct {
	Key   string
	Value string
}

func queryTagList(t tags) []queryTag {
	list := []queryTag{}
	for _, key := range slices.Sorted(maps.Keys(t)) {
		list = append(list, queryTag{key, t[key]})
	}
	return list
}

// elements are elements of an answer whose names are not known before.
type elements []element

type element struct {
	name  string
	value any
}

// MarshalXML writes them as the content of the element that they are given.
func (e elements) MarshalXML(enc *xml.Encoder, start xml.StartElement) error {
	if err := enc.EncodeToken(start); err != nil {
		return err
	}
	for _, part := range e {
		if err := enc.EncodeElement(part.value, xml.StartElement{Name: xml.Name{Local: part.name}}); err != nil {
			return err
		}
	}
	return enc.EncodeToken(start.End())
}
