# Tools are pinned in hack/tools/go.mod; nothing is installed outside the caches of Go
# and of hack/cluster.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TOOL = go tool -modfile=hack/tools/go.mod
# Go modules of their own that hold more than a wrapper around others.
MODULES = hack/awsemu hack/demo/app hack/prometheus

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: prerequisites ## Tell the whole story on a real cluster; KEEP=1 leaves it running.
	go run ./hack/demo

.PHONY: test
test: export GOGC = 400
test: prerequisites ## Unit tests, API server tests and the tests of every Terraform module.
	$(MAKE) --jobs=3 test-groundwork test-awsemu test-prometheus

.PHONY: test-groundwork
test-groundwork:
	go vet ./...
	export KUBEBUILDER_ASSETS="$$(go run ./hack/cluster bin)"; go test -count=1 -timeout 30m ./...

.PHONY: test-awsemu test-prometheus
test-awsemu test-prometheus: test-%:
	cd hack/$* && go vet ./... && go test -count=1 -timeout 30m -parallel 4 ./... # more than cores, for awsemu's waits

.PHONY: e2e
e2e: prerequisites ## Tests on a real cluster with real Terraform and the real AWS provider.
	go test -tags e2e -count 1 -timeout 80m -parallel 6 -v ./hack/e2e

.PHONY: bench
bench: prerequisites ## Compare a run with terraform on the command line; prints ratios.
	go run ./hack/bench

.PHONY: generate
generate: ## Write CRDs, deep copies, READMEs and the API reference anew.
	$(TOOL) controller-gen object crd paths=./api/... output:crd:dir=deploy/chart/files/crds
	$(TOOL) helm-docs --chart-search-root=deploy/chart --sort-values-order=file
	$(TOOL) crd-ref-docs --source-path=api/v1alpha1 --config=docs/api.config.yaml --renderer=markdown --output-path=docs/api.md
	go run ./cmd/groundwork modules docs modules
	go run ./cmd/groundwork modules docs hack/testbundle

.PHONY: verify
verify: generate lint ## Fail when generated files are stale or the linter complains.
	git diff --exit-code

.PHONY: lint
lint: ## Run golangci-lint.
	$(TOOL) golangci-lint run ./...
	for m in $(MODULES); do (cd $$m && go vet ./...); done

.PHONY: image
image: ## Build the controller, bundle and demo images as archives in dist/, by the names that the chart has.
	mkdir -p dist && version=$$(sed -n 's/^appVersion: //p' deploy/chart/Chart.yaml) && go run ./hack/image -version $$version \
		-controller-out dist/controller.tar -controller-tag ghcr.io/groundwork-dev/controller:$$version \
		-bundle-out dist/bundle.tar -bundle-tag ghcr.io/groundwork-dev/bundle:$$version \
		-app-out dist/app.tar -app-tag ghcr.io/groundwork-dev/demo-app:$$version

.PHONY: prerequisites
prerequisites: # What the tests need and this machine may lack, on Debian.
	@hack/prerequisites.sh
