//! Measures edits beside reading: 10,000 Deployments in one file, in one list and in files of
//! their own, and 10,000 keys of one map.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool for measuring stops where it cannot go on"
)]

use std::time::Duration;

use yaml::edit::{Editor, Operation, Options, Step, Value, apply};
use yaml::{Build, Entry, Limits, Span, documents};

const COUNT: usize = 10_000;

fn deployment(number: usize, indent: &str) -> String {
    let lines = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: shop-{number}\n  labels: {{app: shop-{number}}}\n\
         spec:\n  replicas: 2\n  selector:\n    matchLabels:\n      app: shop-{number}\n  template:\n    metadata:\n\
         \x20     labels:\n        app: shop-{number}\n    spec:\n      containers:\n      # the shop\n      - name: web\n\
         \x20       image: example.azurecr.io/web:1.2.3\n        ports:\n        - containerPort: 8080\n\
         \x20       resources:\n          limits: {{cpu: 500m, memory: 600Mi}}\n          requests: {{cpu: 100m, memory: 600Mi}}\n\
         \x20       env:\n        - name: LOG\n          value: \"info\"\n      - name: log\n        image: example.azurecr.io/log:1.2.3\n"
    );
    let lines = lines.lines().map(|line| format!("{indent}{line}\n"));
    lines.collect()
}

/// What two findings about a container ask for.
fn fixes(prefix: &[Step]) -> Vec<Vec<Operation>> {
    (0..2)
        .map(|n| {
            let route = |steps: &[&str]| -> Vec<Step> {
                let pod = ["spec", "template", "spec", "containers"].map(Step::from);
                let below = steps.iter().map(|step| Step::from(*step));
                let prefix = prefix.iter().cloned();
                prefix
                    .chain(pod)
                    .chain([Step::from(n)])
                    .chain(below)
                    .collect()
            };
            vec![
                Operation::Set {
                    route: route(&["securityContext", "allowPrivilegeEscalation"]),
                    value: Value::Bool(false),
                },
                Operation::Add {
                    route: route(&["securityContext", "capabilities", "drop"]),
                    value: Value::String("ALL".to_owned()),
                },
            ]
        })
        .collect()
}

fn key(name: String) -> Vec<Step> {
    vec![Step::from("data"), Step::Key(name.into())]
}

/// Counts values.
struct Count(u32);

impl Count {
    fn one(&mut self) {
        self.0 += 1;
    }
}

impl Build for Count {
    type Node = ();
    fn null(&mut self, _: Span) {
        self.one();
    }
    fn bool(&mut self, _: bool, _: Span) {
        self.one();
    }
    fn int(&mut self, _: i64, _: Span) {
        self.one();
    }
    fn uint(&mut self, _: u64, _: Span) {
        self.one();
    }
    fn float(&mut self, _: f64, _: Span) {
        self.one();
    }
    fn string(&mut self, _: &str, _: Span) {
        self.one();
    }
    fn list(&mut self, _: &[()], _: Span) {
        self.one();
    }
    fn map(&mut self, _: &[Entry<'_, ()>], _: Span) {
        self.one();
    }
}

/// Time on a processor: others may use the machine too.
fn now() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

fn read(text: &str) -> Duration {
    let start = now();
    for raw in documents(text) {
        raw.parse(&Limits::default(), &mut Count(0)).unwrap();
    }
    now() - start
}

fn report(what: &str, text: &str, edit: impl FnOnce(&mut Editor<'_>)) -> String {
    let reading = read(text);
    let start = now();
    let mut editor = Editor::new(text, Options::default());
    edit(&mut editor);
    let outcome = editor.finish();
    let editing = now() - start;
    assert!(outcome.refused.is_empty());
    let edited = apply(text, &outcome.edits);
    format!(
        "{what}: {} edits, {:.1} MB, read in {reading:.0?}, edited and proved in {editing:.0?} ({:.1} times)",
        outcome.edits.len(),
        edited.len() as f64 / 1e6,
        editing.as_secs_f64() / reading.as_secs_f64()
    )
}

fn main() {
    let one: Vec<String> = (0..COUNT).map(|n| deployment(n, "")).collect();
    let joined = one.join("---\n");
    let same = fixes(&[]);
    let told = report("documents of one file", &joined, |editor| {
        for document in 0..COUNT as u32 {
            for fix in &same {
                editor.apply(document, fix).unwrap();
            }
        }
    });
    println!("{told}");
    let mut list = String::from("apiVersion: v1\nkind: List\nitems:\n");
    for number in 0..COUNT {
        let item = deployment(number, "  ");
        list.push_str(&item.replacen("  a", "- a", 1));
    }
    let reading = read(&list);
    let each: Vec<_> = (0..COUNT)
        .flat_map(|item| fixes(&[Step::from("items"), Step::from(item)]))
        .collect();
    let told = report("items of one list", &list, |editor| {
        for fix in &each {
            editor.apply(0, fix).unwrap();
        }
    });
    println!("{told}");
    let start = now();
    for text in &one {
        let mut editor = Editor::new(text, Options::default());
        for fix in &same {
            editor.apply(0, fix).unwrap();
        }
        assert!(!editor.finish().edits.is_empty());
    }
    println!(
        "files of their own: {:.0?}; reading the list: {reading:.0?}",
        now() - start
    );
    let map: String = (0..COUNT)
        .map(|n| format!("  key{n}: value{n}\n"))
        .collect();
    let map = format!("kind: ConfigMap\ndata:\n{map}");
    let told = report("keys of one map", &map, |editor| {
        for n in 0..COUNT {
            let set = Operation::Set {
                route: key(format!("key{n}")),
                value: Value::Int(n as i64),
            };
            editor.apply(0, &[set]).unwrap();
        }
    });
    println!("{told}");
    let told = report("new keys of one map", &map, |editor| {
        for n in 0..COUNT {
            let set = Operation::Set {
                route: key(format!("new{n}")),
                value: Value::Int(n as i64),
            };
            editor.apply(0, &[set]).unwrap();
        }
    });
    println!("{told}");
}
