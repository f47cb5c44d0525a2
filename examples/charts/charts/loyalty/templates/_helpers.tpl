{{- define "loyalty.labels" -}}
app.kubernetes.io/name: loyalty
app.kubernetes.io/part-of: shop
{{- end }}
