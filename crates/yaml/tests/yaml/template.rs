//! What is a template, and what only looks like one.

use yaml::looks_like_template;

#[test]
fn charts_are_templates() {
    for (text, line) in [
        ("a: 1\n{{- if .Values.x }}\nb: 2\n{{- end }}\n", 2),
        ("metadata:\n  name: {{ .Release.Name }}-web\n", 2),
        ("metadata:\n  name: web-{{ .Values.suffix }}\n", 2),
        (
            "metadata:\n  labels:\n    {{- include \"x.labels\" . | nindent 4 }}\n",
            3,
        ),
        ("spec: {{ toYaml .Values.spec | nindent 2 }}\n", 1),
        ("{{/* a comment */}}\na: b\n", 1),
        ("replicas: {{ $n }}\n", 1),
        ("- {{ item }}\n", 1),
        ("a: |\n  text {{ .x }}\nb: {{ .Values.b }}\n", 3),
        ("a: \"{{ quoted }}\"\nb: {{ .Values.b }}\n", 2),
        ("args: [{{ .Values.a }}, b]\n", 1),
    ] {
        assert_eq!(looks_like_template(text), Some(line), "{text}");
    }
}

#[test]
fn manifests_are_not() {
    for text in [
        "summary: \"{{ $labels.instance }} is down\"\n",
        "summary: Instance {{ $labels.instance }} is down\n",
        "summary: 'it''s {{ $value }}'\n",
        "args: [\"{{inputs.parameters.message}}\"]\n",
        "name: step-{{item}}\n",
        "# {{ .Values.x }}\na: b # {{ include \"x\" . }}\n",
        "a: |\n  {{ range .Alerts }}\n\n  {{ end }}\nb: c\n",
        "- |\n {{ if x }}\n- a: >-\n    {{ .Values.x }}\n  b: c\n",
        "- !x |2\n   {{ if x }}\n",
        "a: {b: {c: d}}\n",
        "a: {{b: c}: d}\n",
        "a: \"first\n  {{ .Values.x }}\n  last\"\n",
        "a: \"x \\\" {{ .Values.x }}\"\n",
        "a: don't\nb: it's\n",
        "no braces\n",
    ] {
        assert_eq!(looks_like_template(text), None, "{text}");
    }
}

#[test]
fn many_braces_cost_little() {
    // Quadratic behaviour would take minutes.
    assert_eq!(looks_like_template(&"{{".repeat(2_000_000)), None);
}
