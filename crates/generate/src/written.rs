//! An intent as a file, the way people would write it.

use std::fmt::Write as _;

use crate::intent::{Class, Intent, Profile, Workload};
use crate::questions::Questions;

impl Intent {
    /// The text of an `intent.yaml` that reads as this one.
    #[must_use]
    pub fn text(&self, questions: &Questions) -> String {
        let mut text = String::from(
            "# What is wanted. `seawall generate intent.yaml --out DIR` writes the files that set it up.\n",
        );
        line(&mut text, "name", &self.name);
        line(&mut text, "region", &self.region);
        let _ = writeln!(text, "kubernetes: \"{}\"", self.kubernetes);
        line(&mut text, "owner", &self.owner);
        line(&mut text, "mail", &self.mail);
        for (key, value) in [("repository", &self.repository), ("review", &self.review)] {
            if let Some(value) = value {
                line(&mut text, key, value);
            }
        }
        let _ = writeln!(text, "infrastructure: {}", list(&self.infrastructure));
        line(&mut text, "pipeline", &self.pipeline);
        if !self.compliance.is_empty() {
            let _ = writeln!(text, "compliance: {}", list(&self.compliance));
        }
        if let Some(budget) = self.budget {
            let _ = writeln!(text, "budget: {budget} # EUR a month");
        }
        text.push_str("environments:\n");
        for environment in &self.environments {
            let _ = writeln!(
                text,
                "- {{ name: {}, profile: {}, range: {} }}",
                scalar(&environment.name),
                profile(environment.profile),
                environment.range
            );
        }
        self.around(&mut text);
        if !self.workloads.is_empty() {
            text.push_str("workloads:\n");
            for one in &self.workloads {
                workload(&mut text, one);
            }
        }
        if !self.decisions.is_empty() {
            text.push_str("# What is left out here is taken as the guide would.\ndecisions:\n");
            // In the order in which they are asked.
            for question in &questions.questions {
                if let Some(options) = self.decisions.get(&question.id) {
                    let _ = match options.as_slice() {
                        [one] if !question.any => writeln!(text, "  {}: {one}", question.id),
                        options => writeln!(text, "  {}: {}", question.id, list(options)),
                    };
                }
            }
        }
        text
    }

    /// People, and what is there.
    fn around(&self, text: &mut String) {
        let access = &self.access;
        text.push_str("access:\n");
        for (key, group) in [
            ("administrators", &access.administrators),
            ("deployers", &access.deployers),
            ("readers", &access.readers),
        ] {
            // A guid of digits and one `e` would be a number.
            let _ = writeln!(text, "  {key}: {}", scalar(group));
        }
        if !access.ranges.is_empty() {
            let _ = writeln!(text, "  ranges: {}", list(&access.ranges));
        }
        if let Some(hub) = &self.network.hub {
            let _ = writeln!(text, "network:\n  hub: {hub}");
            if let Some(address) = &self.network.firewall {
                let _ = writeln!(text, "  firewall: {address}");
            }
        }
    }
}

fn line(text: &mut String, key: &str, value: &str) {
    let _ = writeln!(text, "{key}: {}", scalar(value));
}

/// In quotes where YAML would read something else.
fn scalar(value: &str) -> String {
    let plain = value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_./@".contains(&byte))
        && !["true", "false", "yes", "no", "on", "off", "y", "n", "null"]
            .contains(&value.to_ascii_lowercase().as_str());
    if plain {
        value.to_owned()
    } else {
        // What could end them is no part of an intent.
        format!("\"{value}\"")
    }
}

fn list(values: &[Box<str>]) -> String {
    let values: Vec<String> = values.iter().map(|value| scalar(value)).collect();
    format!("[{}]", values.join(", "))
}

const fn profile(profile: Profile) -> &'static str {
    match profile {
        Profile::Development => "development",
        Profile::Production => "production",
        Profile::Regulated => "regulated",
    }
}

fn workload(text: &mut String, workload: &Workload) {
    let class = match workload.class {
        Class::Web => "web",
        Class::Internal => "internal",
        Class::Batch => "batch",
        Class::Untrusted => "untrusted",
    };
    let _ = write!(
        text,
        "- {{ name: {}, class: {class}",
        scalar(&workload.name)
    );
    if let Some(port) = workload.port {
        let _ = write!(text, ", port: {port}");
    }
    for (key, values) in [
        ("hosts", &workload.hosts),
        ("uses", &workload.uses),
        ("calls", &workload.calls),
        ("egress", &workload.egress),
    ] {
        if !values.is_empty() {
            let _ = write!(text, ", {key}: {}", list(values));
        }
    }
    text.push_str(" }\n");
}
