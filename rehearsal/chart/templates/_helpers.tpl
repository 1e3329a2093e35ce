{{/* What everything here carries, so that nobody takes it for Cilium. */}}
{{- define "rehearsal.annotations" -}}
wirecloak.io/rehearsal: "stand-in for Cilium {{ .Chart.Version }}: simulated, no Cilium"
{{- end }}

{{- define "rehearsal.labels" -}}
app.kubernetes.io/part-of: cilium
wirecloak.io/rehearsal: "true"
{{- end }}

{{/* Second number of the version: 20 of 1.20.2. */}}
{{- define "cilium.minor" -}}
{{- (semver .Chart.Version).Minor -}}
{{- end }}

{{/* How pods reach the API server where no kube-proxy serves its address. */}}
{{- define "cilium.apiServerEnv" -}}
{{- if .Values.k8sServiceHost }}
- name: KUBERNETES_SERVICE_HOST
  value: {{ .Values.k8sServiceHost | quote }}
{{- end }}
{{- if .Values.k8sServicePort }}
- name: KUBERNETES_SERVICE_PORT
  value: {{ .Values.k8sServicePort | quote }}
{{- end }}
{{- end }}

{{/* Pods restart when this changes, if asked to. */}}
{{- define "cilium.configChecksum" -}}
cilium.io/cilium-configmap-checksum: {{ include "cilium.config" . | sha256sum | quote }}
{{- end }}
