//! What edits look like, byte for byte.

use yaml::edit::{Editor, Format, Operation, Options, Refusal, apply};

use super::{edit, edit_with, operations};

#[track_caller]
fn becomes(text: &str, steps: &str, expected: &str) {
    match edit(text, steps) {
        Ok(edited) => assert_eq!(edited, expected, "\n{steps}\n--- edited:\n{edited}"),
        Err(refusal) => panic!("{steps}: {refusal}"),
    }
    // Once more there is nothing to do.
    let repeatable = |op: &Operation| !matches!(op, Operation::Rename { .. });
    let operations: Vec<_> = operations(steps).into_iter().filter(repeatable).collect();
    let by_item = |op: &Operation| matches!(op, Operation::Remove { route, .. } if matches!(route.last(), Some(yaml::edit::Step::Index(_))));
    if !operations.iter().any(by_item) {
        let again = edit_with(expected, 0, &operations, Options::default());
        assert_eq!(again.as_deref(), Ok(expected), "\n{steps} again");
    }
}

#[track_caller]
fn refused(text: &str, steps: &str, reason: &str) {
    match edit(text, steps) {
        Ok(edited) => panic!("{steps} was made:\n{edited}"),
        Err(refusal) => assert_eq!(refusal.to_string(), reason),
    }
}

const POD: &str = "\
# a pod
apiVersion: v1
kind: Pod
metadata:
  name: web   # the name
  labels: {app: web}
spec:
  containers:
    - name: web
      image: \"example.azurecr.io/web:1\"
      securityContext:
        privileged: true
    # the second
    - name: log
      image: 'example.azurecr.io/log:1'
";

#[test]
fn scalars_are_replaced_in_place() {
    becomes(
        POD,
        "set spec.containers[0].securityContext.privileged to false",
        &POD.replace("privileged: true", "privileged: false"),
    );
    becomes(
        POD,
        "set metadata.name to \"yes\"",
        &POD.replace("name: web   #", "name: \"yes\"   #"),
    );
    becomes(
        "a: |\n  x\n  y\n# c\nb: 1\n",
        "set a to z",
        "a: z\n# c\nb: 1\n",
    );
    becomes(
        "a: \"x\n  y\" # c\nb: 1\n",
        "set a to z",
        "a: z # c\nb: 1\n",
    );
    becomes("a: x\n  y\n  z\nb: 1\n", "set a to 1.5", "a: 1.5\nb: 1\n");
    becomes("a:\n  x\nb: 1\n", "set a to z", "a:\n  z\nb: 1\n");
    becomes("a: !!str 1 # c\nb: 1\n", "set a to 2", "a: 2 # c\nb: 1\n");
    becomes("a: &x !!str 1\n", "set a to 2", "a: &x 2\n");
    becomes("a: &x 1 # c", "set a to 2", "a: &x 2 # c");
    becomes("a: x \n", "set a to \"1\\n2\\n\"", "a: |\n  1\n  2\n");
    becomes("a: x\n", "set a to \"\\n\"", "a: \"\\n\"\n");
    becomes(
        "a: x # c\n",
        "set a to \"1\\n2\\n\"",
        "a: \"1\\n2\\n\" # c\n",
    );
}

#[test]
fn empty_values_get_a_value() {
    becomes("a:\nb: 1\n", "set a to z", "a: z\nb: 1\n");
    becomes("a:   # c\nb: 1\n", "set a to z", "a: z   # c\nb: 1\n");
    becomes("a:", "set a to z", "a: z");
    becomes("a: &x\nb: 1\n", "set a to z", "a: &x z\nb: 1\n");
    becomes("- a\n-\n- b\n", "set [1] to z", "- a\n- z\n- b\n");
    becomes("a: {b: , c: 1}\n", "set a.b to z", "a: {b: z , c: 1}\n");
    becomes("a: {b: }\n", "set a.c to z", "a: {b: , c: z }\n");
    becomes("a: {b, c: 1}\n", "set a.b to z", "a: {b: z, c: 1}\n");
    becomes(
        "a: ~\nb: 1\n",
        "set a.c.d to 1",
        "a:\n  c:\n    d: 1\nb: 1\n",
    );
    becomes(
        "a: null # c\nb: 1\n",
        "set a.c to 1",
        "a: # c\n  c: 1\nb: 1\n",
    );
}

/// A nested map under a key whose value is empty or in brackets must not become a sibling.
#[test]
fn nested_maps_stand_deeper_than_their_key() {
    for empty in ["", " {}", " ~", " null", " # c", " {} # c", " ''"] {
        let text = format!("jobs:\n  test:{empty}\n  other: 1\n");
        if empty == " ''" {
            refused(
                &text,
                "set jobs.test.permissions.contents to read",
                "line 2: `jobs.test` is a string, not a map",
            );
            continue;
        }
        let comment = if empty.contains('#') { " # c" } else { "" };
        becomes(
            &text,
            "set jobs.test.permissions.contents to read",
            &format!(
                "jobs:\n  test:{comment}\n    permissions:\n      contents: read\n  other: 1\n"
            ),
        );
        becomes(
            &text,
            "set jobs.test to {a: {b: [c, {d: e}]}}",
            &format!(
                "jobs:\n  test:{comment}\n    a:\n      b:\n      - c\n      - d: e\n  other: 1\n"
            ),
        );
    }
    becomes(
        "a: {b: 1}\n",
        "set a.c.d to {e: f}",
        "a: {b: 1, c: {d: {e: f}}}\n",
    );
    becomes("a:\n- b\n", "set a to {c: {d: 1}}", "a:\n  c:\n    d: 1\n");
    becomes(
        "a:\n  c: 1\n",
        "set a to [1, [2, 3]]",
        "a:\n- 1\n- - 2\n  - 3\n",
    );
    becomes(
        "- a:\n  b: 1\n",
        "set [0].a.c to 1",
        "- a:\n    c: 1\n  b: 1\n",
    );
    becomes("- - a:\n", "set [0][0].a.c to 1", "- - a:\n      c: 1\n");
    becomes(
        "a:\n  # none yet\nb: 1\n",
        "set a.c to 1",
        "a:\n  # none yet\n  c: 1\nb: 1\n",
    );
}

#[test]
fn new_keys_follow_the_style_around() {
    becomes(
        POD,
        "set spec.containers[0].securityContext.allowPrivilegeEscalation to false\n\
         set spec.containers[1].securityContext.capabilities.drop to [ALL]",
        &POD.replace(
            "        privileged: true\n",
            "        privileged: true\n        allowPrivilegeEscalation: false\n",
        )
        .replace(
            "log:1'\n",
            "log:1'\n      securityContext:\n        capabilities:\n          drop:\n            - ALL\n",
        ),
    );
    becomes(
        "a:\n   b:\n      c: 1\n   d:\n   -  x: 1\n",
        "set a.e.f to [1]\nset a.d[0].w to 2",
        "a:\n   b:\n      c: 1\n   d:\n   -  x: 1\n      w: 2\n   e:\n      f:\n      - 1\n",
    );
    becomes("a: 1", "set b.c to 2", "a: 1\nb:\n  c: 2");
    becomes(
        "a: 1\r\nb:\r\n  c: 1\r\n",
        "set b.d.e to 2",
        "a: 1\r\nb:\r\n  c: 1\r\n  d:\r\n    e: 2\r\n",
    );
    becomes("a: 'x'\n", "set b to \"1\"", "a: 'x'\nb: '1'\n");
    becomes("a: |+\n  x\n\n\n", "set b to 1", "a: |+\n  x\n\n\nb: 1\n");
    becomes(
        "a:\n  b: |\n    x\n\nc: 1\n",
        "set a.d to 1",
        "a:\n  b: |\n    x\n  d: 1\n\nc: 1\n",
    );
    becomes(
        "a: |\n  x",
        "set b to \"1\\n2\\n\"",
        "a: |-\n  x\nb: \"1\\n2\\n\"",
    );
    becomes(
        "a:\n  b: >1+\n    x",
        "set a.c to 1\nset d to 2",
        "a:\n  b: >1-\n    x\n  c: 1\nd: 2",
    );
    becomes("? a\n: b\n", "set c to d", "? a\n: b\nc: d\n");
    becomes("---\na: 1\n...\n", "set b to 1", "---\na: 1\nb: 1\n...\n");
    becomes(
        "%YAML 1.1\n---\na: 1 # c",
        "set b to 1",
        "%YAML 1.1\n---\na: 1 # c\nb: 1",
    );
    becomes("\u{feff}a: 1\n", "set b to 1", "\u{feff}a: 1\nb: 1\n");
    becomes("a: 1\rb: 2\r", "set c to 3", "a: 1\rb: 2\rc: 3\r");
}

#[test]
fn short_lists_stand_in_brackets_where_others_do() {
    let flat = "command: [sh, -c, run]\nsecurityContext:\n  runAsUser: 1\n";
    becomes(
        flat,
        "add \"ALL\" to securityContext.capabilities.drop",
        "command: [sh, -c, run]\nsecurityContext:\n  runAsUser: 1\n  capabilities:\n    drop: [ALL]\n",
    );
    becomes(
        flat,
        "set securityContext to [a, 'b: c', 1]",
        "command: [sh, -c, run]\nsecurityContext: [a, \"b: c\", 1]\n",
    );
    becomes(
        "command: [sh]\nargs: # of it\n",
        "set args to [a, b]",
        "command: [sh]\nargs: [a, b] # of it\n",
    );
    becomes(
        "command: [sh]\nsteps:\n- [a]\n- x\n",
        "set steps[1] to [b, c]",
        "command: [sh]\nsteps:\n- [a]\n- [b, c]\n",
    );
    // A list that stands on lines of its own stays there, and maps are no short lists.
    becomes(
        "a: [x]\nb: [y]\nc:\n- z\nd:\n",
        "set c to [w]\nset d to [{e: f}]",
        "a: [x]\nb: [y]\nc:\n- w\nd:\n- e: f\n",
    );
    // Where most stand on lines of their own, a new one does too.
    becomes(
        "a: [x]\nb:\n- y\nc:\n- z\n",
        "set d to [w]",
        "a: [x]\nb:\n- y\nc:\n- z\nd:\n- w\n",
    );
}

#[test]
fn comments_stay_where_they_belong() {
    becomes(
        "a:\n  b: 1\n  # c: 2\n\n# about d\nd: 1\n",
        "set a.e to 1",
        "a:\n  b: 1\n  # c: 2\n  e: 1\n\n# about d\nd: 1\n",
    );
    becomes(
        "spec:\n  list:\n  - a\n  # about other\n  other: 1\n",
        "add b to spec.list",
        "spec:\n  list:\n  - a\n  - b\n  # about other\n  other: 1\n",
    );
    becomes(
        "spec:\n  list:\n  - a: 1\n    # inner\n  # outer\nother: 1\n",
        "set spec.list[0].b to 2\nadd z to spec.list\nset spec.new to 1",
        "spec:\n  list:\n  - a: 1\n    # inner\n    b: 2\n  # outer\n  - z\n  new: 1\nother: 1\n",
    );
    becomes(
        "a: 1\n# the next document\n---\nb: 1\n",
        "set c to 1",
        "a: 1\nc: 1\n# the next document\n---\nb: 1\n",
    );
    becomes(
        "a: 1\n# about b\nb: 2 # two\n  # more of b\n# about c\nc: 3\n",
        "remove b",
        "a: 1\n# about b\n# about c\nc: 3\n",
    );
}

#[test]
fn lists_grow() {
    becomes("a:\n- x\n", "add z to a\nadd x to a", "a:\n- x\n- z\n");
    becomes(
        "a:\n    - x\n",
        "add {b: {c: 1}, d: 2} to a",
        "a:\n    - x\n    - b:\n        c: 1\n      d: 2\n",
    );
    becomes("a: [x]\n", "add z to a", "a: [x, z]\n");
    becomes("a: [x,]\n", "add z to a", "a: [x, z]\n");
    becomes("a: []\n", "add z to a", "a:\n- z\n");
    becomes(
        "a: [ x ] # c\n",
        "add {b: 1} to a",
        "a: [ x, {b: 1} ] # c\n",
    );
    becomes(
        "a: [\n  x,\n  y # why\n]\n",
        "add z to a",
        "a: [\n  x,\n  y, # why\n  z\n]\n",
    );
    becomes("b: 1\n", "add z to a.c", "b: 1\na:\n  c:\n  - z\n");
    becomes(
        "- - a\n  - b\n- c\n",
        "add d to [0]",
        "- - a\n  - b\n  - d\n- c\n",
    );
    becomes("a: ['x']\n", "add \"*\" to a", "a: ['x', '*']\n");
    becomes("a: [\"x\"]\n", "add \"no\" to a", "a: [\"x\", \"no\"]\n");
}

#[test]
fn entries_go() {
    becomes("a: 1\nb: 2\nc: 3\n", "remove b", "a: 1\nc: 3\n");
    becomes("a: 1\nb: 2", "remove b", "a: 1\n");
    becomes(
        "a: 1\nb:\n  c: 1\n  d:\n  - e\nf: 1\n",
        "remove b",
        "a: 1\nf: 1\n",
    );
    becomes("- a: 1\n  b: 2\n", "remove [0].a", "- b: 2\n");
    becomes(
        "- a: 1 # x\n  # about b\n  b: 2\n",
        "remove [0].a",
        "-\n  # about b\n  b: 2\n",
    );
    becomes("- a\n- b\n- c\n", "remove [1]", "- a\n- c\n");
    becomes("- a\n- b\n- c\n", "remove [0]\nremove [2]", "- b\n");
    becomes("- - a\n  - b\n", "remove [0][0]", "- - b\n");
    becomes("a: {b: 1, c: 2, d: 3}\n", "remove a.c", "a: {b: 1, d: 3}\n");
    becomes(
        "a: {b: 1, c: 2, d: 3}\n",
        "remove a.b\nremove a.c",
        "a: {d: 3}\n",
    );
    becomes(
        "a: { b: 1, c: 2, d: 3 }\n",
        "remove a.c\nremove a.d",
        "a: { b: 1 }\n",
    );
    becomes(
        "a: { b: 1, c: 2 }\n",
        "remove a.c\nset a.e to 1",
        "a: { b: 1, e: 1 }\n",
    );
    becomes(
        "a: [\n  x,\n  y, # why\n  z\n]\n",
        "remove a[1]",
        "a: [\n  x,\n  z\n]\n",
    );
    becomes(
        "a: [\n  x, # one\n  y\n]\n",
        "remove a[1]",
        "a: [\n  x # one\n]\n",
    );
    becomes("a: |+\n  x\n\n\nb: 1\n", "remove a", "b: 1\n");
    becomes("a: 1\n? b\n: c\nd: 1\n", "remove b", "a: 1\nd: 1\n");
}

#[test]
fn the_last_entry_leaves_empty_brackets() {
    becomes("a:\n  b: 1\nc: 1\n", "remove a.b", "a: {}\nc: 1\n");
    becomes(
        "a: # why\n  # how\n  b: 1 # what\nc: 1\n",
        "remove a.b",
        "a: {} # why\n  # how\nc: 1\n",
    );
    becomes("a:\n- b\nc: 1\n", "remove a[0]", "a: []\nc: 1\n");
    becomes("- a: 1\n- b\n", "remove [0].a", "- {}\n- b\n");
    becomes(
        "a: [x]\nb: {c: 1}\n",
        "remove a[0]\nremove b.c",
        "a: []\nb: {}\n",
    );
    becomes("a: 1\n", "remove a", "{}\n");
    becomes("---\na: 1", "remove a", "---\n{}\n");
    becomes("a:\n  b:\n    c: 1\nd: 1\n", "prune a.b.c", "d: 1\n");
    becomes(
        "a:\n  b:\n    c: 1\n  e: 1\n",
        "prune a.b.c",
        "a:\n  e: 1\n",
    );
    becomes("a:\n  b: 1\n", "remove a.b\nset a.c to 2", "a:\n  c: 2\n");
    becomes(
        "- a: 1\n- b\n",
        "remove [0].a\nset [0].c to {d: 1}",
        "- c:\n    d: 1\n- b\n",
    );
}

#[test]
fn entries_are_replaced_and_renamed() {
    becomes(
        "volumes:\n- name: v\n  hostPath:\n    path: /x # why\n    type: File\n- name: w\n",
        "replace volumes[0].hostPath with {emptyDir: {}}",
        "volumes:\n- name: v\n  emptyDir: {}\n- name: w\n",
    );
    becomes(
        "volumes:\n- {name: v, hostPath: {path: /x}}\n",
        "replace volumes[0].hostPath with {emptyDir: {}}",
        "volumes:\n- {name: v, emptyDir: {}}\n",
    );
    becomes("a: 1 # c\nb: 2\n", "rename a to c", "c: 1 # c\nb: 2\n");
    becomes("\"a\": 1\n", "rename a to b", "\"b\": 1\n");
    refused(
        "a: 1\nb: 2\n",
        "rename a to b",
        "line 2: `b` stands there already",
    );
    refused("a: 1\n", "replace b with {c: 1}", "nothing stands at `b`");
}

#[test]
fn a_map_that_is_set_changes_where_it_differs() {
    becomes(
        "a: # why\n  status: disabled # off\n  days: 7\n  old: 1\n",
        "set a to {status: enabled, days: 7, new: 1}",
        "a: # why\n  status: enabled # off\n  days: 7\n  new: 1\n",
    );
    becomes(
        "add:\n- SYS_ADMIN # why\n- CHOWN\n",
        "set add to [CHOWN]",
        "add:\n- CHOWN\n",
    );
    becomes("add: [SYS_ADMIN, CHOWN]\n", "set add to []", "add: []\n");
    becomes(
        "r: [nodes/proxy] # c\n",
        "set r to [nodes/metrics]",
        "r: [nodes/metrics] # c\n",
    );
    becomes("- [a]\n", "set [0] to [b, {c: 1}]", "- [b, {c: 1}]\n");
    becomes(
        "a: # why\n  b: 1 # c\n  d: 2\ne: 1\n",
        "set a to 5",
        "a: 5 # why\ne: 1\n",
    );
}

const ARM: &str = "{\n\t\"resources\": [\n\t\t{\n\t\t\t\"name\": \"shop\", // why\n\t\t\t\"properties\": {},\n\t\t\t\"sku\": {\"name\": \"Base\"} /* cheap */\n\t\t}\n\t]\n}\n";

fn jsonc(text: &str, steps: &str) -> Result<String, Refusal> {
    let options = Options {
        format: Format::Jsonc,
        any_case: true,
        ..Options::default()
    };
    edit_with(text, 0, &operations(steps), options)
}

#[test]
fn json_keeps_its_form() {
    let edited = jsonc(
        ARM,
        "set resources[0].Properties.enableRbac to true\n\
         set resources[0].sku.tier to Standard\n\
         set resources[0].identity.type to SystemAssigned",
    );
    assert_eq!(
        edited.unwrap(),
        "{\n\t\"resources\": [\n\t\t{\n\t\t\t\"name\": \"shop\", // why\n\t\t\t\"properties\": {\n\t\t\t\t\"enableRbac\": true\n\t\t\t},\n\t\t\t\"sku\": {\"name\": \"Base\", \"tier\": \"Standard\"}, /* cheap */\n\t\t\t\"identity\": {\n\t\t\t\t\"type\": \"SystemAssigned\"\n\t\t\t}\n\t\t}\n\t]\n}\n"
    );
    let edited = jsonc(ARM, "remove resources[0].sku");
    assert_eq!(
        edited.unwrap(),
        "{\n\t\"resources\": [\n\t\t{\n\t\t\t\"name\": \"shop\", // why\n\t\t\t\"properties\": {}\n\t\t}\n\t]\n}\n"
    );
    becomes(
        "{\"a\":1,\"b\":[]}",
        "set c.d to true\nadd x to b",
        "{\"a\":1,\"b\":[\"x\"],\"c\":{\"d\":true}}",
    );
    becomes(
        "{\n    \"a\": {\n        \"b\": 1\n    }\n}",
        "set c.d to [1]",
        "{\n    \"a\": {\n        \"b\": 1\n    },\n    \"c\": {\n        \"d\": [\n            1\n        ]\n    }\n}",
    );
    becomes("{\"a\": 1, \"b\": 2}\n", "remove a", "{\"b\": 2}\n");
    becomes(
        "{\"a\": 1}{\"b\": 2}\n",
        "set c to \"\\t\\u2028\"",
        "{\"a\": 1, \"c\": \"\\t\\u2028\"}{\"b\": 2}\n",
    );
    let once = jsonc("{\"a\": [1,],}", "add 2 to a\nset b to 3").unwrap();
    assert_eq!(once, "{\"a\": [1, 2], \"b\": 3}");
}

#[test]
fn strings_that_some_reader_takes_for_something_else_are_quoted() {
    for text in [
        "yes",
        "NO",
        "0o7",
        "017",
        "1e3",
        "~",
        "2001-01-01",
        "2001-1-1 10:00:00",
        "0x1f",
        "1:20",
        "1_000",
        ".5",
        ".inf",
        "null",
        "",
        " x",
        "x ",
        "a: b",
        "a #b",
        "-",
        "- a",
        "? a",
        ":x",
        "x:",
        "#x",
        "&x",
        "*x",
        "!x",
        "|",
        ">x",
        "%x",
        "@x",
        "`x",
        "{x",
        "[x",
        "=",
        "<<",
        "---",
        "...",
        "+1",
        "-1",
        "1.",
        "1,000",
        "y",
        "on",
        "0b1",
        "\"x",
        "'x",
        "1e-3",
        "NaN",
    ] {
        let quoted = format!("a: \"{}\"\n", text.replace('"', "\\\""));
        becomes(
            "a: x y\n",
            &format!("set a to '{}'", text.replace('\'', "''")),
            &quoted,
        );
    }
    for text in [
        "a",
        "600Mi",
        "10.0.0.1",
        "1.2.3",
        "33%",
        "a:b",
        "a#b",
        "--foo",
        "-c",
        "100m",
        "v1",
        "example.azurecr.io/x:1.2",
        "it's",
        "ä",
        "/etc",
        "a, b",
        "1h",
        "2001-01",
        "5d",
        "a{b}",
    ] {
        becomes(
            "a: x y\n",
            &format!("set a to \"{text}\""),
            &format!("a: {text}\n"),
        );
    }
    becomes(
        "a: [x]\n",
        "add \"a, b\" to a\nadd \"h:1\" to a",
        "a: [x, \"a, b\", \"h:1\"]\n",
    );
    becomes("x: 1\n", "set [\"on\"] to 1", "x: 1\n\"on\": 1\n");
}

const SHARED: &str = "base: &b\n  x: 1\n  w: {z: 1}\nuse: *b\nmore:\n  <<: *b\n  own: 1\n";

#[test]
fn aliases_and_anchors_are_refused_with_a_reason() {
    refused(
        SHARED,
        "set use.x to 2",
        "line 4: `use` is `*b`; the value stands at `&b` on line 1",
    );
    refused(
        SHARED,
        "set base.w.z to 2",
        "line 1: `base` is the anchor `&b`, also used on lines 4, 6; all of them would change",
    );
    refused(
        SHARED,
        "remove base",
        "line 1: the anchor `&b` stands here, and is used on lines 4, 6",
    );
    refused(
        SHARED,
        "set base to 1",
        "line 1: `base` is the anchor `&b`, also used on lines 4, 6; all of them would change",
    );
    refused(
        SHARED,
        "set more.w.z to 2",
        "line 6: `more.w` comes from the merge key (`<<`) of this map",
    );
    refused(
        SHARED,
        "remove more.x",
        "line 6: `more.x` comes from the merge key (`<<`) of this map",
    );
    refused(
        "m:\n  <<: {x: 1}\n",
        "set m.x.y to 1",
        "line 2: `m.x` comes from the merge key (`<<`) of this map",
    );
    refused(
        "m:\n  <<: {x: [1]}\n",
        "add 2 to m.x",
        "line 2: `m.x` comes from the merge key (`<<`) of this map",
    );
    becomes(
        SHARED,
        "set more.x to 2",
        &SHARED.replace("own: 1\n", "own: 1\n  x: 2\n"),
    );
    becomes(
        SHARED,
        "set use to 2",
        &SHARED.replace("*b\nmore", "2\nmore"),
    );
    becomes(SHARED, "remove use", &SHARED.replace("use: *b\n", ""));
    becomes(
        SHARED,
        "set more.own to 2",
        &SHARED.replace("own: 1", "own: 2"),
    );
    refused(
        "a: 1\nb: 2\na: 3\n",
        "set a to 4",
        "`a` stands twice, on lines 1 and 3; only the last one counts",
    );
    refused(
        "{\"a\": 1,\n\"a\": 2}",
        "set b to 4",
        "`a` stands twice, on lines 1 and 2; only the last one counts",
    );
    refused(
        "a: &k 1\nb: *k\n",
        "set a to 2",
        "line 1: `a` is the anchor `&k`, also used on line 2; all of them would change",
    );
    refused(
        "a: [b: c]\n",
        "set a[0].d to 1",
        "line 1: this map has no braces of its own",
    );
    becomes("a: [b: c]\n", "set a[0].b to 1", "a: [b: 1]\n");
}

#[test]
fn shared_values_are_edited_when_asked_and_told() {
    let options = || Options {
        follow: true,
        ..Options::default()
    };
    let text = "a: &x {b: 1}\nc: *x\nd: *x\n";
    let mut editor = Editor::new(text, options());
    let applied = editor.apply(0, &operations("set c.b to 2")).unwrap();
    assert_eq!(
        applied.shared.iter().map(|s| s.line).collect::<Vec<_>>(),
        [2, 3]
    );
    let outcome = editor.finish();
    assert_eq!(apply(text, &outcome.edits), "a: &x {b: 2}\nc: *x\nd: *x\n");
    let set = edit_with("a: &x 1\nb: *x\n", 0, &operations("set a to 2"), options());
    assert_eq!(set.unwrap(), "a: &x 2\nb: *x\n");
}

#[test]
fn what_cannot_be_is_refused() {
    refused(
        "a: x\n",
        "set a.b to 1",
        "line 1: `a` is a string, not a map",
    );
    refused(
        "a: x\n",
        "add 1 to a",
        "line 1: `a` is a string, not a list",
    );
    refused(
        "a: [1]\n",
        "set a.b to 1",
        "line 1: `a` is a list, not a map",
    );
    refused("a: [1]\n", "set a[1] to 1", "nothing stands at `a[1]`");
    refused("# nothing\n", "set a to 1", "the document holds no value");
    refused(
        "a: [1\n",
        "set a to 1",
        "the document cannot be read: line 2, column 1: a `,` or `]` is missing in a `[…]` list; it began on line 1",
    );
    assert_eq!(
        edit_with("a: 1\n", 3, &operations("set a to 2"), Options::default()),
        Err(Refusal::NoDocument(3))
    );
}

#[test]
fn documents_are_edited_apart() {
    let text = "# one\na: 1\n---\n# two\na: 1\n---\n{\"a\": 1}\n---\na: 1";
    let mut editor = Editor::new(text, Options::default());
    for document in [3, 0, 2] {
        let steps = format!("set a to {document}1\nset b.c to x");
        editor.apply(document, &operations(&steps)).unwrap();
    }
    assert!(
        editor
            .apply(1, &operations("set b to 1\nset a.c to 1"))
            .is_err()
    );
    let outcome = editor.finish();
    assert_eq!(outcome.refused, []);
    assert_eq!(
        apply(text, &outcome.edits),
        "# one\na: 01\nb:\n  c: x\n---\n# two\na: 1\n---\n{\"a\": 21, \"b\": {\"c\": \"x\"}}\n---\na: 31\nb:\n  c: x"
            .replace("a: 01", "a: 1")
    );
}

#[test]
fn places_lead_to_routes() {
    let text = "a: 1\n---\nb:\n- {c: [1]}\n";
    let mut editor = Editor::new(text, Options::default());
    let at = |what: &str| text.find(what).unwrap();
    assert_eq!(editor.route_to(1, at("{c")).unwrap(), super::route("b[0]"));
    assert_eq!(
        editor.route_to(1, at("[1]")).unwrap(),
        super::route("b[0].c")
    );
    assert_eq!(editor.route_to(1, at("b:")).unwrap(), []);
    assert!(editor.route_to(1, at("c:")).is_err());
    assert!(editor.route_to(1, 0).is_err());
}
