// CRDs that the chart's monitoring objects need, from the module that has them.
module github.com/groundwork-dev/groundwork/hack/e2e/crds

go 1.26.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
