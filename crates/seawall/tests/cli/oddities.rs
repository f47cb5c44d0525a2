//! Disguises of the text itself: encodings, documents, headers, names, sizes, oddities.

use std::fmt::Write as _;

use crate::disguises::{Cases, privileged};
use crate::run::pod;

/// Adds them.
pub(crate) fn add(cases: &mut Cases) {
    encodings(cases);
    documents(cases);
    headers(cases);
    names(cases);
    sizes(cases);
    oddities(cases);
}

fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xFEFF)
        .chain(text.encode_utf16())
        .flat_map(order)
        .collect()
}

fn encodings(cases: &mut Cases) {
    let text = privileged("web");
    cases.found("utf16le.yaml", utf16(&text, u16::to_le_bytes), &[11]);
    cases.found("utf16be.yaml", utf16(&text, u16::to_be_bytes), &[11]);
    let unmarked: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    cases.found("utf16-unmarked.yaml", unmarked, &[11]);
    cases.found("bom.yaml", format!("\u{feff}{text}"), &[11]);
    cases.found("bom-and-marker.yaml", format!("\u{feff}---\n{text}"), &[12]);
    cases.found("crlf.yaml", text.replace('\n', "\r\n"), &[11]);
    cases.found("mixed-breaks.yaml", text.replacen('\n', "\r\n", 4), &[11]);
    cases.found("no-last-break.yaml", text.trim_end(), &[11]);
    cases.found(
        "next-line-character.yaml",
        text.replace("securityContext:\n", "securityContext: # x\u{85}"),
        &[10],
    );
    cases.found(
        "non-ascii.yaml",
        text.replace("name: app", "name: größe-商店-🏪"),
        &[11],
    );
    let latin: Vec<u8> = text
        .replace("name: app", "name: gr@e")
        .bytes()
        .map(|b| if b == b'@' { 0xF6 } else { b })
        .collect();
    cases.not_read("latin1.yaml", latin, &[8]);
    cases.not_read(
        "control.yaml",
        text.replace("name: app", "name: a\u{7}pp"),
        &[8],
    );
}

fn documents(cases: &mut Cases) {
    let text = privileged("web");
    let broken = "a: [1\nb: 2\n";
    cases.both(
        "after-a-broken-one.yaml",
        format!("{broken}---\n{text}"),
        &[14],
        &[2],
    );
    cases.both(
        "before-a-broken-one.yaml",
        format!("{text}---\n{broken}"),
        &[11],
        &[14],
    );
    cases.both(
        "between.yaml",
        format!("{broken}---\n{text}---\n{broken}"),
        &[14],
        &[2, 17],
    );
    cases.both(
        "after-tabs.yaml",
        format!("\ta: b\n---\n{text}"),
        &[13],
        &[1],
    );
    cases.both(
        "after-text.yaml",
        format!("just words: and: colons\n---\n{text}"),
        &[13],
        &[1],
    );
    cases.found("after-dots.yaml", format!("a: b\n...\n{text}"), &[13]);
    cases.found(
        "after-dots-and-marker.yaml",
        format!("a: b\n...\n---\n{text}"),
        &[14],
    );
    cases.found(
        "empty-ones.yaml",
        format!("---\n---\n\n---\n# nothing\n---\n{text}"),
        &[17],
    );
    cases.found("directive.yaml", format!("%YAML 1.1\n---\n{text}"), &[13]);
    cases.found(
        "tag-directive.yaml",
        format!("%TAG ! tag:example.com,2026:\n---\n{text}"),
        &[13],
    );
    cases.found(
        "marker-comment.yaml",
        format!("a: b\n--- # next\n{text}"),
        &[13],
    );
    cases.found(
        "commented-marker.yaml",
        text.replace("spec:\n", "# ---\nspec:\n"),
        &[12],
    );
    let flow = "--- {apiVersion: v1, kind: Pod, metadata: {name: w, namespace: s}, spec: {containers: [{name: a, image: b, securityContext: {privileged: true}}]}}\n";
    cases.found("on-the-marker.yaml", format!("a: b\n{flow}"), &[2]);
    let block = text.replace("  namespace: shop\n", "  namespace: shop\n  annotations:\n    note: |\n      a\n      ---\n      kind: ConfigMap\n");
    cases.found("marker-in-block.yaml", block, &[16]);
    let quoted = text.replace(
        "  namespace: shop\n",
        "  namespace: shop\n  annotations:\n    note: \"a # b\"\n    other: 'it''s # {{ fine }}'\n",
    );
    cases.found("quotes-and-hashes.yaml", quoted, &[14]);
    cases.found(
        "braces-in-a-comment.yaml",
        format!("# {{{{ .Values.x }}}}\n{text}"),
        &[12],
    );
    let braces = text.replace(
        "  namespace: shop\n",
        "  namespace: shop\n  annotations: {note: \"{{ $labels.pod }}\"}\n",
    );
    cases.found("braces-in-quotes.yaml", braces, &[12]);
    cases.not_read(
        "unrendered.yaml",
        text.replace("name: web", "name: {{ .Values.name }}"),
        &[4],
    );
    cases.not_read(
        "unrendered-line.yaml",
        text.replace("spec:\n", "{{- if .Values.x }}\nspec:\n{{- end }}\n"),
        &[6],
    );
    cases.both(
        "beside-a-template.yaml",
        format!("a: {{{{ .Values.x }}}}\n---\n{text}"),
        &[13],
        &[1],
    );
}

fn headers(cases: &mut Cases) {
    let text = privileged("web");
    let body = text.strip_prefix("apiVersion: v1\nkind: Pod\n").unwrap();
    cases.found(
        "kind-last.yaml",
        format!("{body}kind: Pod\napiVersion: v1\n"),
        &[9],
    );
    cases.found(
        "kind-quoted.yaml",
        text.replace("kind: Pod", "\"kind\": 'Pod'"),
        &[11],
    );
    cases.found(
        "kind-folded.yaml",
        text.replace("kind: Pod", "kind: >-\n  Pod"),
        &[12],
    );
    cases.found(
        "kind-tagged.yaml",
        text.replace("kind: Pod", "kind: !!str Pod"),
        &[11],
    );
    cases.found(
        "kind-escaped.yaml",
        text.replace("kind: Pod", r#"kind: "\x50od""#),
        &[11],
    );
    cases.found(
        "kind-asked.yaml",
        text.replace("kind: Pod", "? kind\n: Pod"),
        &[12],
    );
    cases.found(
        "kind-twice.yaml",
        text.replace("kind: Pod", "kind: ConfigMap\nkind: Pod"),
        &[12],
    );
    cases.found(
        "indented.yaml",
        format!("  {}", text.trim_end().replace('\n', "\n  ")),
        &[11],
    );
    cases.found(
        "comment-first.yaml",
        format!("# kind: ConfigMap\n\n{text}"),
        &[13],
    );
    cases.not_read("no-kind.yaml", text.replace("kind: Pod\n", ""), &[1]);
    cases.not_read(
        "no-version.yaml",
        text.replace("apiVersion: v1\n", ""),
        &[1],
    );
    cases.not_read(
        "kind-is-a-number.yaml",
        text.replace("kind: Pod", "kind: 1"),
        &[1],
    );
    cases.not_read(
        "containers-is-a-map.yaml",
        text.replace("  - name: app\n    image", "    name: app\n    image"),
        &[8],
    );
}

fn names(cases: &mut Cases) {
    let text = privileged("web");
    cases.found(
        "generated-name.yaml",
        text.replace("  name: web", "  generateName: web-"),
        &[11],
    );
    cases.found("no-name.yaml", text.replace("  name: web\n", ""), &[10]);
    cases.found(
        "no-namespace.yaml",
        text.replace("  namespace: shop\n", ""),
        &[10],
    );
    cases.found(
        "no-metadata.yaml",
        text.replace("metadata:\n  name: web\n  namespace: shop\n", ""),
        &[8],
    );
    cases.found(
        "null-metadata.yaml",
        text.replace("metadata:\n  name: web\n  namespace: shop\n", "metadata:\n"),
        &[9],
    );
    cases.found(
        "no-container-name.yaml",
        text.replace("- name: app\n    image", "- image"),
        &[10],
    );
    cases.found(
        "null-lists.yaml",
        text.replace("spec:\n", "spec:\n  initContainers: null\n  volumes: ~\n"),
        &[13],
    );
    cases.found(
        "kube-system.yaml",
        text.replace("namespace: shop", "namespace: kube-system"),
        &[11],
    );
}

fn sizes(cases: &mut Cases) {
    let text = privileged("web");
    let long = format!(
        "  namespace: shop\n  annotations: {{note: {}}}\n",
        "x".repeat(1 << 20)
    );
    cases.found(
        "long-line.yaml",
        text.replace("  namespace: shop\n", &long),
        &[12],
    );
    let padded = text.replace(
        "privileged: true",
        &format!("privileged:{}true", " ".repeat(100_000)),
    );
    cases.found("far-to-the-right.yaml", padded, &[11]);
    let mut many = pod("web", "");
    for number in 0..3000 {
        writeln!(many, "  - {{name: c{number}, image: b}}").unwrap();
    }
    many.push_str("  - {name: last, image: b, securityContext: {privileged: true}}\n");
    cases.found("many-containers.yaml", many, &[3010]);
    let mut definitions = String::new();
    for number in 0..300 {
        let note = "y".repeat(10_000);
        write!(definitions, "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: c{number}.example.com\n  annotations:\n    note: {note}\n---\n").unwrap();
    }
    cases.found("after-3-mb.yaml", format!("{definitions}{text}"), &[2111]);
    let mut documents = String::new();
    for number in 0..5000 {
        write!(
            documents,
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{number}}}\n---\n"
        )
        .unwrap();
    }
    cases.found(
        "after-5000-documents.yaml",
        format!("{documents}{text}"),
        &[20_011],
    );
    let deep = format!("a: {}{}\n", "[".repeat(5000), "]".repeat(5000));
    cases.both(
        "after-deep-nesting.yaml",
        format!("{deep}---\n{text}"),
        &[13],
        &[1],
    );
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let previous = format!("*a{}, ", level - 1).repeat(9);
        writeln!(
            bomb,
            "a{level}: &a{level} [{}]",
            previous.trim_end_matches(", ")
        )
        .unwrap();
    }
    bomb.push_str("apiVersion: v1\nkind: Pod\n");
    cases.both(
        "after-an-alias-bomb.yaml",
        format!("{bomb}---\n{text}"),
        &[24],
        &[7],
    );
}

/// What only a hostile or very old file holds.
fn oddities(cases: &mut Cases) {
    let text = privileged("web");
    let with = |value: &str| text.replace("privileged: true", value);
    cases.not_read("own-tag.yaml", with("privileged: !own true"), &[11]);
    cases.not_read(
        "merge-of-a-number.yaml",
        with("<<: 5\n      privileged: true"),
        &[11],
    );
    let circle = text
        .replace("securityContext:", "securityContext: &self")
        .replace(
            "privileged: true",
            "privileged: true\n      seLinuxOptions: *self",
        );
    cases.not_read("circle.yaml", circle, &[12]);
    cases.not_read(
        "spec-again-as-null.yaml",
        format!("{text}spec: null\n"),
        &[2],
    );
    cases.not_read(
        "kind-again-as-null.yaml",
        text.replace("kind: Pod", "kind: Pod\nkind: null"),
        &[1],
    );
    cases.not_read(
        "kind-is-a-list.yaml",
        text.replace("kind: Pod", "kind: [Pod]"),
        &[1],
    );
    cases.not_read(
        "null-byte.yaml",
        text.replace("name: app", "name: a\0pp"),
        &[8],
    );
    cases.found(
        "null-item.yaml",
        text.replace("  - name: app", "  - null\n  - name: app"),
        &[12],
    );
    cases.found(
        "key-is-a-number.yaml",
        text.replace("spec:\n", "1: a\nspec:\n"),
        &[12],
    );
    cases.found("old-mac-breaks.yaml", text.replace('\n', "\r"), &[1]);
    let separator = text.replace("securityContext:\n", "securityContext: # x\u{2028}");
    cases.found("line-separator.yaml", separator, &[10]);
    cases.both(
        "rubbish-after-dots.yaml",
        format!("{text}...\nrubbish: [\n"),
        &[11],
        &[14],
    );
    cases.found(
        "a-quoted-brace-before.yaml",
        format!("a: \"{{\"\n---\n{text}"),
        &[13],
    );
    cases.found(
        "json-without-a-marker-after.yaml",
        format!("{{\"a\": 1}}\n{text}"),
        &[12],
    );
    let object = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "w", "namespace": "s"}, "spec": {"containers": [{"name": "a", "image": "b", "securityContext": {"privileged": true}}]}}"#;
    cases.found("json-comma.json", object.replace("true}", "true,}"), &[1]);
    cases.not_read(
        "json-comment.json",
        object.replace("\"kind\"", "/* a */ \"kind\""),
        &[1],
    );
    let wide: Vec<u8> = format!("\u{feff}{text}")
        .chars()
        .flat_map(|c| u32::from(c).to_le_bytes())
        .collect();
    cases.not_read("utf32.yaml", wide, &[1]);
}
