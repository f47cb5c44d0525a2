//! Values that go deeper.

use yaml::edit::{Editor, Operation, Options, Outcome, Refusal, Value, apply};

use super::{operations, route};
use crate::generate::{self, Random};

fn nest(at: &str, within: &str, around: &str) -> Operation {
    Operation::Nest {
        route: route(at),
        around: Value::read(around).unwrap(),
        within: within.split('.').map(Into::into).collect(),
    }
}

fn done(text: &str, operations: &[Operation]) -> Result<Outcome, Refusal> {
    let mut editor = Editor::new(text, Options::default());
    editor.apply(0, operations)?;
    Ok(editor.finish())
}

#[track_caller]
fn becomes(text: &str, operations: &[Operation], expected: &str) {
    let outcome = done(text, operations).unwrap();
    assert_eq!(outcome.refused, []);
    assert_eq!(apply(text, &outcome.edits), expected);
}

#[test]
fn lines_move_to_the_right_with_their_comments() {
    becomes(
        "\
# a pod
kind: Pod # one
spec: # runs
    # the only one
    containers:
    -   name: web   # the shop
        args:
        - |
          # no comment

            deeper
    # at the end

# of the pod
status: {}
---
b: 1
",
        &[
            nest(
                "spec",
                "template.spec",
                "{selector: {a: 1}, template: {metadata: {labels: {a: 1}}}}",
            ),
            operations("set kind to Deployment").remove(0),
        ],
        "\
# a pod
kind: Deployment # one
spec: # runs
    selector:
        a: 1
    template:
        metadata:
            labels:
                a: 1
        spec:
            # the only one
            containers:
            -   name: web   # the shop
                args:
                - |
                  # no comment

                    deeper
            # at the end

# of the pod
status: {}
---
b: 1
",
    );
}

#[test]
fn a_map_in_brackets_stays_in_brackets() {
    becomes(
        "spec: {containers: [{name: web}]}\n",
        &[nest("spec", "template.spec", "{}")],
        "spec: {template: {spec: {containers: [{name: web}]}}}\n",
    );
}

#[test]
fn json_is_written_anew_where_it_moves() {
    becomes(
        "{\n  \"kind\": \"Pod\",\n  \"spec\": {\n    \"x\": [1, {\"y\": null}]\n  }\n}\n",
        &[nest("spec", "template.spec", "{selector: {a: b}}")],
        "{\n  \"kind\": \"Pod\",\n  \"spec\": {\n    \"selector\": {\n      \"a\": \"b\"\n    },\n    \"template\": {\n      \"spec\": {\n        \"x\": [\n          1,\n          {\n            \"y\": null\n          }\n        ]\n      }\n    }\n  }\n}\n",
    );
}

#[test]
fn what_cannot_move_is_refused() {
    for (text, says) in [
        ("spec: &a\n  x: 1\ny: *a\n", "anchor"),
        ("spec: [1]\n", "no map"),
        ("spec: 1\n", "no map"),
        ("spec: {x: 1,\n  y: 2}\n", "no map"),
        ("other: 1\n", "nothing stands at `spec`"),
        ("spec: {x: 1}\nspec: {x: 2}\n", "nothing stands at `spec`"),
    ] {
        match done(text, &[nest("spec", "template.spec", "{}")]) {
            Ok(outcome) => panic!("{text}{outcome:?}"),
            Err(refusal) => {
                let refusal = refusal.to_string();
                let anchored = says == "anchor" && refusal.contains("no map");
                assert!(refusal.contains(says) || anchored, "{text}{refusal}");
            }
        }
    }
}

/// Random documents below a key: where they move, values are what they were, and every line of them is still there.
#[test]
fn whatever_moves_is_what_it_was() {
    let mut random = Random::new(20_261_127);
    let (mut moved, mut refused) = (0, 0);
    for _ in 0..8000 {
        let body = generate::document(random.next());
        if body.contains("---") || body.contains("...") || body.contains('%') {
            continue;
        }
        let mut text = "kind: Pod\nspec:\n".to_owned();
        for line in body.split_inclusive('\n') {
            text.push_str("  ");
            text.push_str(line);
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str("after: 1\n");
        let Ok(Value::Map(before)) = Value::read(&text) else {
            continue;
        };
        let Some(old @ Value::Map(_)) =
            before.iter().find(|(key, _)| key == "spec").map(|(_, v)| v)
        else {
            continue;
        };
        match done(
            &text,
            &[nest("spec", "template.spec", "{selector: {a: 1}}")],
        ) {
            Ok(outcome) if outcome.refused.is_empty() => {
                moved += 1;
                let after = apply(&text, &outcome.edits);
                let Ok(Value::Map(entries)) = Value::read(&after) else {
                    panic!("{text}\nis\n{after}");
                };
                let expected = Value::Map(vec![
                    ("selector".to_owned(), Value::read("{a: 1}").unwrap()),
                    (
                        "template".to_owned(),
                        Value::Map(vec![("spec".to_owned(), old.clone())]),
                    ),
                ]);
                let found = entries
                    .iter()
                    .find(|(key, _)| key == "spec")
                    .map(|(_, v)| v);
                assert_eq!(found, Some(&expected), "{text}\nis\n{after}");
                for line in body
                    .lines()
                    .filter(|line| line.trim_start().starts_with('#'))
                {
                    assert!(
                        after.contains(line.trim()),
                        "{line}\nof\n{text}\nis\n{after}"
                    );
                }
            }
            Ok(_) | Err(_) => refused += 1,
        }
    }
    assert!(
        moved > 500 && moved > 10 * refused,
        "{moved} moved, {refused} refused"
    );
}
