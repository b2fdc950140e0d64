package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// readInfrastructures reads the Infrastructures in a file of YAML or JSON documents; -
// is in. What else is in it is noted. As kubectl does, it takes the namespace for those
// that name none; one that was given explicitly must not differ from theirs.
func readInfrastructures(in io.Reader, notes io.Writer, file, namespace string, explicit bool) ([]v1alpha1.Infrastructure, error) {
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, misused(err)
		}
		defer f.Close()
		in = f
	}
	var found []v1alpha1.Infrastructure
	docs := yaml.NewYAMLOrJSONDecoder(in, 4096)
	for n := 1; ; n++ {
		var doc runtime.RawExtension
		err := docs.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			found, err = appendInfrastructures(found, doc.Raw, notes)
		}
		if err != nil {
			return nil, misused(fmt.Errorf("%s: document %d: %w", file, n, err))
		}
	}
	if len(found) == 0 {
		return nil, misused(fmt.Errorf("%s: there is no Infrastructure in it", file))
	}
	for i := range found {
		infra := &found[i]
		if explicit && infra.Namespace != "" && infra.Namespace != namespace {
			return nil, misused(fmt.Errorf("%s: Infrastructure %s is of namespace %s, which does not match --namespace %s; leave the flag out, or name that one",
				file, infra.Name, infra.Namespace, namespace))
		}
		infra.Namespace = cmp.Or(infra.Namespace, namespace)
	}
	return found, nil
}

// appendInfrastructures appends the Infrastructures of one document, which may be a list.
func appendInfrastructures(found []v1alpha1.Infrastructure, doc []byte, notes io.Writer) ([]v1alpha1.Infrastructure, error) {
	if doc = bytes.TrimSpace(doc); len(doc) == 0 || string(doc) == "null" {
		return found, nil
	}
	var head struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Items []runtime.RawExtension `json:"items"`
	}
	if err := sigsyaml.Unmarshal(doc, &head); err != nil {
		return nil, err
	}
	ours := head.GroupVersionKind().Group == v1alpha1.Group
	switch {
	case head.Kind == "":
		return nil, errors.New("it has no kind")
	case head.Kind == "List" || ours && head.Kind == "InfrastructureList":
		for i := range head.Items {
			var err error
			if found, err = appendInfrastructures(found, head.Items[i].Raw, notes); err != nil {
				return nil, fmt.Errorf("items[%d]: %w", i, err)
			}
		}
		return found, nil
	case !ours || head.Kind != "Infrastructure":
		fmt.Fprintf(notes, "Passed over: %s %s\n", head.Kind, head.Metadata.Name)
		return found, nil
	case head.APIVersion != v1alpha1.GroupVersion().String():
		return nil, fmt.Errorf("apiVersion: got %s, wanted %s", head.APIVersion, v1alpha1.GroupVersion())
	case head.Metadata.Name == "":
		return nil, errors.New("metadata.name: it is missing, and tells which object is meant")
	}
	var infra v1alpha1.Infrastructure
	if err := sigsyaml.UnmarshalStrict(doc, &infra); err != nil {
		return nil, fmt.Errorf("the Infrastructure %s: %w", head.Metadata.Name, err)
	}
	return append(found, infra), nil
}
