# The images of hack/image, for those who prefer Docker:
#
#   docker build --target controller -t registry.example.com/groundwork-controller:dev .
#   docker build --target bundle     -t registry.example.com/groundwork-bundle:dev .
#
# For a bundle of other modules, replace the folder: --build-arg MODULES=platform/modules
ARG TERRAFORM_VERSION=1.11.4

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o /out/ ./cmd/controller ./cmd/runner
RUN mkdir -p /root-fs/etc/ssl/certs /root-fs/tmp && chmod 1777 /root-fs/tmp \
 && cp /etc/ssl/certs/ca-certificates.crt /root-fs/etc/ssl/certs/ \
 && printf 'root:x:0:0:root:/:/sbin/nologin\ngroundwork:x:65532:65532:groundwork:/tmp:/sbin/nologin\n' > /root-fs/etc/passwd \
 && printf 'root:x:0:\ngroundwork:x:65532:\n' > /root-fs/etc/group

FROM hashicorp/terraform:${TERRAFORM_VERSION} AS terraform

# Terraform's plugin cache has the layout of an unpacked mirror. What is downloaded
# is verified against the modules' lock files, here and only here.
FROM terraform AS providers
ARG MODULES=modules
COPY ${MODULES} /groundwork/modules
WORKDIR /groundwork/modules
RUN mkdir /groundwork/providers \
 && for module in */module.yaml; do \
      folder="${module%/module.yaml}" \
      && rm -rf "$folder/.terraform" "$folder/tests" "$folder/examples" "$folder/README.md" \
      && TF_PLUGIN_CACHE_DIR=/groundwork/providers terraform -chdir="$folder" init -backend=false -lockfile=readonly \
      && rm -rf "$folder/.terraform" || exit 1; \
    done

FROM scratch AS base
COPY --from=build /root-fs/ /
USER 65532:65532

FROM base AS controller
COPY --from=build /out/controller /groundwork/controller
ENTRYPOINT ["/groundwork/controller"]

FROM base AS bundle
COPY --from=terraform /bin/terraform /groundwork/terraform
COPY --from=providers /groundwork/providers /groundwork/providers
COPY --from=build /out/runner /groundwork/runner
COPY --from=providers /groundwork/modules /groundwork/modules
ENTRYPOINT ["/groundwork/runner"]
