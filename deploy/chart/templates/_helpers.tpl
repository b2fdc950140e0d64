{{/* The prefix of the names of objects. */}}
{{- define "groundwork.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "groundwork.labels" -}}
app.kubernetes.io/name: groundwork
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* What the controller's pods are found by; it can never change. */}}
{{- define "groundwork.controllerLabels" -}}
app.kubernetes.io/name: groundwork
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end -}}

{{/* An image's reference: include "groundwork.image" (list . .Values.images.controller) */}}
{{- define "groundwork.image" -}}
{{- $root := index . 0 -}}
{{- with index . 1 -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $root.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The further bundles as a YAML list of name and image. That no two have one name is what
a schema cannot say. */}}
{{- define "groundwork.extraBundles" -}}
{{- $root := . -}}
{{- $names := list "default" -}}
{{- $bundles := list -}}
{{- range .Values.extraBundles -}}
{{- if has .name $names -}}
{{- fail (printf "extraBundles: there is another bundle %q; give this one another name (default is that of images.bundle)" .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- $bundles = append $bundles (dict "name" .name "image" (include "groundwork.image" (list $root .))) -}}
{{- end -}}
{{- toYaml $bundles -}}
{{- end -}}

{{- define "groundwork.priorityClass" -}}
{{- if .Values.priorityClass.create -}}
{{- default (include "groundwork.name" .) .Values.priorityClass.name -}}
{{- else -}}
{{- .Values.priorityClass.name -}}
{{- end -}}
{{- end -}}

{{/* The YAML of --runner-template. */}}
{{- define "groundwork.runnerTemplate" -}}
{{- $template := dict
  "labels" .Values.runner.podLabels
  "annotations" .Values.runner.podAnnotations
  "imagePullPolicy" .Values.images.pullPolicy
  "imagePullSecrets" .Values.images.pullSecrets
  "resources" .Values.runner.resources
  "priorityClassName" (include "groundwork.priorityClass" .)
  "nodeSelector" .Values.runner.nodeSelector
  "tolerations" .Values.runner.tolerations
  "affinity" .Values.runner.affinity
  "env" .Values.runner.env
-}}
{{- toYaml $template -}}
{{- end -}}

{{/* An egress rule. */}}
{{- define "groundwork.apiServerEgress" }}
- ports:
  {{- range .Values.networkPolicy.apiServer.ports }}
  - port: {{ . }}
    protocol: TCP
  {{- end }}
  {{- with .Values.networkPolicy.apiServer.cidrs }}
  to:
  {{- range . }}
  - ipBlock:
      cidr: {{ . }}
  {{- end }}
  {{- end }}
{{- end }}

{{/* An egress rule. */}}
{{- define "groundwork.dnsEgress" }}
- ports:
  - port: 53
    protocol: UDP
  - port: 53
    protocol: TCP
{{- end }}
