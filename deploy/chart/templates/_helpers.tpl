{{/* One webhook configuration leads here, so there is one of it in a cluster, and it has one name. */}}
{{- define "seawall.labels" -}}
app.kubernetes.io/name: seawall
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: seawall
app.kubernetes.io/managed-by: {{ .Release.Service }}
owner: {{ .Values.owner }}
{{- end }}

{{- define "seawall.selector" -}}
app.kubernetes.io/name: seawall
app.kubernetes.io/component: server
{{- end }}

{{- define "seawall.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}:{{ $tag }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ $tag }}
{{- end -}}
{{- end }}

{{/* What says which guidelines, the same for the server and for whoever installs. */}}
{{- define "seawall.selection" -}}
- --config=/etc/seawall/seawall.yaml
{{- with .Values.kubernetes }}
- --kubernetes={{ . }}
{{- end }}
{{- range .Values.frameworks }}
- --framework={{ . }}
{{- end }}
{{- range .Values.guidelines }}
- --guideline={{ . }}
{{- end }}
{{- if .Values.dryRun }}
- --dry-run
{{- end }}
{{- if .Values.certificate.certManager }}
- --cert-dir=/tls
{{- end }}
{{- end }}

{{- define "seawall.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "seawall.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* The account's token where a client looks for it: short, and of this container only. */}}
{{- define "seawall.account" -}}
- name: account
  projected:
    defaultMode: 0440
    sources:
    - serviceAccountToken:
        path: token
        expirationSeconds: 3600
    - configMap:
        name: kube-root-ca.crt
        items:
        - key: ca.crt
          path: ca.crt
    - downwardAPI:
        items:
        - path: namespace
          fieldRef:
            fieldPath: metadata.namespace
{{- end }}

{{- define "seawall.accountMounts" -}}
- name: account
  mountPath: /var/run/secrets/kubernetes.io/serviceaccount
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- end }}

{{- define "seawall.mounts" -}}
{{ include "seawall.accountMounts" . }}
- name: config
  mountPath: /etc/seawall
  readOnly: true
{{- if .Values.certificate.certManager }}
- name: tls
  mountPath: /tls
  readOnly: true
{{- end }}
{{- end }}

{{- define "seawall.accountVolumes" -}}
{{ include "seawall.account" . }}
- name: tmp
  emptyDir:
    sizeLimit: 256Mi
{{- end }}

{{- define "seawall.volumes" -}}
{{ include "seawall.accountVolumes" . }}
- name: config
  projected:
    defaultMode: 0444
    sources:
    - configMap:
        name: seawall
    - configMap:
        name: seawall-waivers
        optional: true
{{- if .Values.certificate.certManager }}
- name: tls
  secret:
    secretName: seawall-webhook
    defaultMode: 0440
{{- end }}
{{- end }}

{{/* What is there only while a job installs or cleans up. */}}
{{- define "seawall.installing" -}}
helm.sh/hook: post-install,post-upgrade{{ if .Values.reports }},post-delete{{ end }}
helm.sh/hook-weight: "-10"
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
