//! Edits of Bicep: what they look like, what is refused, and that random ones do what they mean.

#[path = "edit/random.rs"]
mod random;

use bicep::edit::{Act, Change, Editor, Form, Refusal};
use yaml::edit::{Step, Value, apply};

fn way(steps: &[&str]) -> Vec<Step> {
    steps
        .iter()
        .map(|step| match step.parse::<usize>() {
            Ok(index) => Step::from(index),
            Err(_) => Step::from(*step),
        })
        .collect()
}

fn value(text: &str) -> Value {
    Value::read(text).unwrap()
}

/// The text with one change made from the part of it that `from` is.
fn changed(text: &str, from: &str, steps: &[&str], act: Act) -> Result<String, Refusal> {
    let start = text.find(from).unwrap();
    let mut editor = Editor::new(text, Form::Template);
    editor.apply(&[Change {
        place: start..start + from.len(),
        steps: &way(steps),
        act,
    }])?;
    Ok(apply(text, &editor.finish()))
}

fn set(text: &str, from: &str, steps: &[&str], to: &str) -> Result<String, Refusal> {
    changed(text, from, steps, Act::Set(value(to)))
}

const POOL: &str = "\
resource pool 'Microsoft.ContainerService/managedClusters/agentPools@2024-02-01' = if (wanted) {
  name: 'web' // the shop
  properties: {
    count: 3
    osSKU: sku /* see above */ // from a parameter
    Tags: { a: 'x', b: [] }
    zones: [
      '1'
      '2' // not 3
    ]
    empty: {}
  }
}
";

fn in_pool(steps: &[&str], act: Act) -> Result<String, Refusal> {
    changed(POOL, POOL.trim_end(), steps, act)
}

fn replaced(old: &str, new: &str) -> String {
    assert!(POOL.contains(old));
    POOL.replacen(old, new, 1)
}

#[test]
fn values_are_set_where_they_stand() {
    let set = |steps: &[&str], to: &str| in_pool(steps, Act::Set(value(to))).unwrap();
    assert_eq!(
        set(&["properties", "count"], "5"),
        replaced("count: 3", "count: 5")
    );
    // Azure does not mind the case of keys.
    assert_eq!(
        set(&["properties", "tags", "A"], "it's"),
        replaced("a: 'x'", "a: 'it\\'s'")
    );
    assert_eq!(set(&["properties", "zones", "1"], "\"2\""), POOL);
    assert_eq!(
        set(&["properties", "zones"], "[]"),
        replaced("[\n      '1'\n      '2' // not 3\n    ]", "[]")
    );
}

#[test]
fn what_is_new_looks_like_what_is_there() {
    let set = |steps: &[&str], to: &str| in_pool(steps, Act::Set(value(to))).unwrap();
    assert_eq!(
        set(&["properties", "security", "fips-mode"], "true"),
        replaced(
            "    empty: {}\n",
            "    empty: {}\n    security: {\n      'fips-mode': true\n    }\n"
        )
    );
    assert_eq!(
        set(&["properties", "tags", "c"], "{d: 1}"),
        replaced("b: [] }", "b: [], c: { d: 1 } }")
    );
    assert_eq!(
        set(&["properties", "empty", "a", "b"], "1"),
        replaced(
            "empty: {}",
            "empty: {\n      a: {\n        b: 1\n      }\n    }"
        )
    );
    assert_eq!(
        in_pool(&["properties", "zones"], Act::Add(value("\"3\""))).unwrap(),
        replaced("// not 3\n", "// not 3\n      '3'\n")
    );
    assert_eq!(
        in_pool(&["properties", "tags", "b"], Act::Add(value("x"))).unwrap(),
        replaced("b: []", "b: ['x']")
    );
    assert_eq!(
        in_pool(&["properties", "tags", "list"], Act::Add(value("x"))).unwrap(),
        replaced("b: [] }", "b: [], list: ['x'] }")
    );
}

#[test]
fn an_object_changes_only_where_it_differs() {
    let text = "var a = {\n  // why\n  status: 'disabled'\n  gone: 1 // and this\n}\n";
    assert_eq!(
        set(
            text,
            &text[8..text.len() - 1],
            &[],
            "{status: enabled, days: 30}"
        )
        .unwrap(),
        "var a = {\n  // why\n  status: 'enabled'\n  days: 30\n}\n"
    );
}

#[test]
fn what_goes_takes_its_line_along() {
    let without = |steps: &[&str]| in_pool(steps, Act::Remove).unwrap();
    assert_eq!(
        without(&["properties", "osSKU"]),
        replaced("    osSKU: sku /* see above */ // from a parameter\n", "")
    );
    assert_eq!(
        without(&["properties", "tags", "a"]),
        replaced("a: 'x', ", "")
    );
    assert_eq!(
        without(&["properties", "zones", "1"]),
        replaced("      '2' // not 3\n", "")
    );
    assert_eq!(without(&["properties", "nothing"]), POOL);
    let text = "var a = {\n  b: {\n    c: {\n      d: 1\n    }\n  }\n  e: 2\n}\n";
    assert_eq!(
        changed(
            text,
            &text[8..text.len() - 1],
            &["b", "c", "d"],
            Act::Remove
        )
        .unwrap(),
        "var a = {\n  e: 2\n}\n"
    );
}

#[test]
fn an_entry_is_replaced_in_its_place() {
    let act = Act::Replace {
        key: "emptyDir".to_owned(),
        value: value("{}"),
    };
    assert_eq!(
        in_pool(&["properties", "zones"], act).unwrap(),
        replaced(
            "zones: [\n      '1'\n      '2' // not 3\n    ]",
            "emptyDir: {}"
        )
    );
}

#[test]
fn expressions_are_not_overwritten() {
    let text = "param on bool\nvar a = {\n  b: a.b ? {} : null\n  c: on\n  d: !on\n  ...other\n  e: 'x${on}'\n}\n";
    let object = &text[text.find('{').unwrap()..text.rfind('}').unwrap() + 1];
    let refusal = |steps: &[&str]| set(text, object, steps, "true").unwrap_err().to_string();
    assert_eq!(
        refusal(&["b", "x"]),
        "line 2: `b` is decided by `a.b ? {} : null`"
    );
    assert_eq!(
        refusal(&["c"]),
        "line 2: `c` is `on`, which has no value here: give it one"
    );
    assert_eq!(refusal(&["d"]), "line 2: `d` is decided by `!on`");
    assert_eq!(refusal(&["e"]), "line 2: `e` is decided by `'x${on}'`");
    // What is written later counts more than what is spread before it.
    assert_eq!(
        set(text, object, &["f"], "1").unwrap(),
        text.replace("'x${on}'\n", "'x${on}'\n  f: 1\n")
    );
}

#[test]
fn what_is_joined_or_wrapped_is_edited_within() {
    let text = "var a = union({\n  b: 1\n}, on ? { c: 2 } : {}, { d: any({ e: 1 }) })\n";
    let whole = &text[8..text.len() - 1];
    assert_eq!(
        set(text, whole, &["x", "y"], "1").unwrap(),
        text.replace("  b: 1\n", "  b: 1\n  x: {\n    y: 1\n  }\n")
    );
    assert_eq!(
        set(text, whole, &["d", "e"], "2").unwrap(),
        text.replace("e: 1", "e: 2")
    );
    assert_eq!(
        changed(text, whole, &["b"], Act::Remove).unwrap(),
        text.replace("  b: 1\n", "")
    );
}

#[test]
fn items_are_counted_as_they_were() {
    let text = "var a = {\n  b: [\n    'x'\n    'y'\n\n    // why\n    'z'\n    'w'\n  ]\n}\n";
    let start = text.find('{').unwrap();
    let remove = |steps: &[&str]| Change {
        place: start..text.len() - 1,
        steps: Vec::leak(way(steps)),
        act: Act::Remove,
    };
    let mut editor = Editor::new(text, Form::Template);
    let all = [remove(&["b", "1"]), remove(&["b", "2"])];
    assert_eq!(editor.apply(&all), Ok(true));
    // Another one wants the same, and one more.
    assert_eq!(editor.apply(&all), Ok(false));
    assert_eq!(editor.apply(&[remove(&["b", "3"])]), Ok(true));
    let mut set = remove(&["b", "2"]);
    set.act = Act::Set(value("v"));
    assert_eq!(editor.apply(&[set]), Err(Refusal::Overwritten));
    assert_eq!(
        apply(text, &editor.finish()),
        "var a = {\n  b: [\n    'x'\n\n    // why\n  ]\n}\n"
    );
}

#[test]
fn a_condition_is_not_made_to_choose_between_equals() {
    let text = "param paid bool = false // for now\nvar tier = !paid ? 'Free' : 'Standard'\nvar more = { a: paid ? { b: 1 } : null, c: paid }\n";
    let paid = text.replacen("false", "true", 1);
    assert_eq!(set(text, "'Free'", &[], "Standard").unwrap(), paid);
    assert_eq!(set(&paid, "'Standard'", &[], "Standard").unwrap(), paid);
    assert_eq!(
        set(text, "'Free'", &[], "Premium").unwrap_err().to_string(),
        "line 2: the value is decided by `!paid ? 'Free' : 'Standard'`"
    );
    let object = &text[text.find("{ a").unwrap()..text.len() - 1];
    assert_eq!(set(text, object, &["a", "b"], "1").unwrap(), paid);
}

#[test]
fn a_key_that_stands_twice_is_left() {
    let text = "var a = {\n  b: 1\n  B: 2\n}\n";
    let refused = set(text, &text[8..text.len() - 1], &["b"], "3").unwrap_err();
    assert!(matches!(refused, Refusal::Twice { .. }));
}

#[test]
fn line_breaks_and_tabs_are_those_of_the_file() {
    let text = "var a = {\r\n\tb: {\r\n\t\tc: 1\r\n\t}\r\n}\r\n";
    assert_eq!(
        set(text, &text[8..text.len() - 2], &["b", "d", "e"], "1").unwrap(),
        "var a = {\r\n\tb: {\r\n\t\tc: 1\r\n\t\td: {\r\n\t\t\te: 1\r\n\t\t}\r\n\t}\r\n}\r\n"
    );
}

#[test]
fn resources_within_stay_behind_properties() {
    let text =
        "resource a 'T/a@1' = {\n  name: 'a'\n\n  resource b 'b' = {\n    name: 'b'\n  }\n}\n";
    assert_eq!(
        set(text, text.trim_end(), &["properties", "x"], "1").unwrap(),
        text.replace("name: 'a'\n", "name: 'a'\n  properties: {\n    x: 1\n  }\n")
    );
}

#[test]
fn several_changes_of_one_place_come_together() {
    let mut editor = Editor::new(POOL, Form::Template);
    let place = 0..POOL.trim_end().len();
    let steps = [
        way(&["properties", "a", "b"]),
        way(&["properties", "a", "c"]),
        way(&["properties", "count"]),
    ];
    for steps in &steps {
        let act = Act::Set(Value::Int(1));
        let change = Change {
            place: place.clone(),
            steps,
            act,
        };
        assert_eq!(editor.apply(std::slice::from_ref(&change)), Ok(true));
        // Whoever else asks for the same finds it done.
        assert_eq!(editor.apply(&[change]), Ok(false));
    }
    // All or none.
    let act = Act::Set(Value::Int(2));
    let both = [
        (&steps[0], act.clone()),
        (&steps[1], Act::Set(Value::Float(0.5))),
    ];
    let both = both.map(|(steps, act)| Change {
        place: place.clone(),
        steps,
        act,
    });
    assert!(editor.apply(&both).is_err());
    assert_eq!(
        apply(POOL, &editor.finish()),
        replaced("count: 3", "count: 1").replace(
            "    empty: {}\n",
            "    empty: {}\n    a: {\n      b: 1\n      c: 1\n    }\n"
        )
    );
}

#[test]
fn values_of_parameters_files_are_set() {
    let text = "using 'main.bicep'\nparam open = true // for now\nparam ranges = []\n";
    let mut editor = Editor::new(text, Form::Parameters);
    let at = |part: &str| {
        let start = text.find(part).unwrap();
        start..start + part.len()
    };
    let changes = [
        Change {
            place: at("true"),
            steps: &[],
            act: Act::Set(Value::Bool(false)),
        },
        Change {
            place: at("[]"),
            steps: &[],
            act: Act::Add(value("10.0.0.0/8")),
        },
    ];
    assert_eq!(editor.apply(&changes), Ok(true));
    assert_eq!(
        apply(text, &editor.finish()),
        "using 'main.bicep'\nparam open = false // for now\nparam ranges = [\n  '10.0.0.0/8'\n]\n"
    );
}
