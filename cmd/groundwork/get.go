package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// The values of -o.
const (
	formTable = "table"
	formWide  = "wide"
	formJSON  = "json"
	formYAML  = "yaml"
)

// formFlag adds the flag -o with the forms that a command knows, the first by default.
func formFlag(c *cobra.Command, form *string, forms ...string) {
	c.Flags().StringVarP(form, "output", "o", forms[0], "one of "+strings.Join(forms, ", "))
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	c.PreRunE = func(*cobra.Command, []string) error {
		if !slices.Contains(forms, *form) {
			return misused(fmt.Errorf("--output: got %q, wanted one of %s", *form, strings.Join(forms, ", ")))
		}
		return nil
	}
}

// getOptions are the flags of get.
type getOptions struct {
	form, selector string
	all            bool
}

func getCommand(k *cluster) *cobra.Command {
	var o getOptions
	c := &cobra.Command{
		Use:     "get [NAME...]",
		Aliases: []string{"list"},
		Short:   "List Infrastructures",
		Long: `Lists Infrastructures, with the columns of kubectl get: those named, or all of the namespace.
With -o wide there are also the version, the number of resources, the output Secret and the run.`,
		Example: "  groundwork get -n shop\n  groundwork get -A -o wide\n  groundwork get orders-db -n shop -o yaml",
		RunE: func(c *cobra.Command, names []string) error {
			if len(names) > 0 && (o.all || o.selector != "") {
				return misused(fmt.Errorf("got the name %s with --all-namespaces or --selector, wanted one of the two", names[0]))
			}
			selector, err := labels.Parse(o.selector)
			if err != nil {
				return misused(fmt.Errorf("--selector: %w", err))
			}
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			if o.all {
				s.namespace = ""
			}
			if o.form == formJSON || o.form == formYAML {
				return s.printObjects(c.Context(), c.OutOrStdout(), o.form, names, selector)
			}
			return s.printTable(c, o, names, selector)
		},
		ValidArgsFunction: k.completeNames,
	}
	formFlag(c, &o.form, formTable, formWide, formJSON, formYAML)
	c.Flags().BoolVarP(&o.all, "all-namespaces", "A", false, "of all namespaces")
	c.Flags().StringVarP(&o.selector, "selector", "l", "", "only those with these labels: `app=orders,tier!=test`")
	return c
}

// printObjects prints the objects themselves: one that was asked for by name, or a
// list.
func (s *session) printObjects(ctx context.Context, w io.Writer, form string, names []string, selector labels.Selector) error {
	list := &v1alpha1.InfrastructureList{}
	for _, name := range names {
		infra, err := s.get(ctx, name)
		if err != nil {
			return err
		}
		list.Items = append(list.Items, *infra)
	}
	if len(names) == 0 {
		if err := s.client.List(ctx, list, client.InNamespace(s.namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
			return err
		}
	}
	kind := v1alpha1.GroupVersion().WithKind("Infrastructure")
	for i := range list.Items {
		list.Items[i].SetGroupVersionKind(kind)
	}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind("InfrastructureList"))
	var object runtime.Object = list
	if len(names) == 1 {
		object = &list.Items[0]
	}
	var printer printers.ResourcePrinter = &printers.JSONPrinter{}
	if form == formYAML {
		printer = &printers.YAMLPrinter{}
	}
	return (&printers.OmitManagedFieldsPrinter{Delegate: printer}).PrintObj(object, w)
}

// printTable prints the columns that the API server makes of the CRD's.
func (s *session) printTable(c *cobra.Command, o getOptions, names []string, selector labels.Selector) error {
	table, err := s.table(c.Context(), names, selector)
	if err != nil {
		return err
	}
	if len(table.Rows) == 0 {
		where := "in namespace " + s.namespace
		if o.all {
			where = "in this cluster"
		}
		fmt.Fprintf(c.ErrOrStderr(), "There is no Infrastructure %s.\n", where)
		return nil
	}
	printer := printers.NewTablePrinter(printers.PrintOptions{Wide: o.form == formWide, WithNamespace: o.all})
	return printer.PrintObj(table, c.OutOrStdout())
}

// table reads Infrastructures as a table, those named or all.
func (s *session) table(ctx context.Context, names []string, selector labels.Selector) (*metav1.Table, error) {
	config := rest.CopyConfig(s.config)
	gv := v1alpha1.GroupVersion()
	config.GroupVersion, config.APIPath, config.NegotiatedSerializer = &gv, "/apis", scheme.Codecs.WithoutConversion()
	api, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, err
	}
	read := func(name string) (*metav1.Table, error) {
		request := api.Get().NamespaceIfScoped(s.namespace, s.namespace != "").Resource("infrastructures").
			SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
		if name != "" {
			request = request.Name(name)
		} else if !selector.Empty() {
			request = request.Param("labelSelector", selector.String())
		}
		return decodeTable(request.Do(ctx))
	}
	if len(names) == 0 {
		table, err := read("")
		if apierrors.IsNotFound(err) { // a list is always there, if its kind is
			err = &meta.NoKindMatchError{GroupKind: gv.WithKind("Infrastructure").GroupKind(), SearchedVersions: []string{gv.Version}}
		}
		return table, err
	}
	all := &metav1.Table{}
	for _, name := range names {
		table, err := read(name)
		if apierrors.IsNotFound(err) {
			return nil, s.notThere(name)
		}
		if err != nil {
			return nil, err
		}
		all.ColumnDefinitions = table.ColumnDefinitions
		all.Rows = append(all.Rows, table.Rows...)
	}
	return all, nil
}

// decodeTable reads a table, and the metadata of the object of each row.
func decodeTable(result rest.Result) (*metav1.Table, error) {
	if err := result.Error(); err != nil {
		return nil, err
	}
	raw, err := result.Raw()
	if err != nil {
		return nil, err
	}
	table := &metav1.Table{}
	if err := json.Unmarshal(raw, table); err != nil {
		return nil, fmt.Errorf("the API server's answer is no table: %w", err)
	}
	for i := range table.Rows {
		object := &metav1.PartialObjectMetadata{}
		if err := json.Unmarshal(table.Rows[i].Object.Raw, object); err != nil {
			return nil, fmt.Errorf("the API server's answer is no table of objects: %w", err)
		}
		table.Rows[i].Object.Object = object
	}
	return table, nil
}
