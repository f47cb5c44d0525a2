//! Files of a guide: what does not compile, and examples that do not behave.

use std::collections::BTreeMap;
use std::path::Path;

use ::guide::examples::{self, Failure};
use ::guide::{Guide, edges, options, renewals};
use sources::Overlay;

use crate::commands::read_folder;

/// What is wrong with one file of the guide in a folder, with what is open in place of what is on disk.
pub(super) fn failures(
    root: &Path,
    file: &str,
    open: &Overlay,
    stops: &dyn Fn() -> bool,
) -> Vec<Failure> {
    let mut files: BTreeMap<String, String> = match read_folder(root) {
        Ok(files) => files.into_iter().collect(),
        Err(error) => {
            let problem = format!("the guide in `{}` cannot be read: {error}", root.display());
            return vec![at(file, 1, problem)];
        }
    };
    for (name, text) in open.iter() {
        let absolute = std::path::absolute(Path::new(&**name));
        let below = absolute.ok().and_then(|path| {
            let below = path.strip_prefix(root).ok()?.to_str()?.replace('\\', "/");
            Some(below)
        });
        if let Some(below) = below {
            files.insert(below, text.clone());
        }
    }
    // Whoever writes a page wants to know of it alone, and detections take a tenth of the time.
    let detections = file.starts_with("detections/");
    let files = files
        .iter()
        .filter(|(name, _)| detections || !name.starts_with("detections/"));
    let (guide, errors) = Guide::load(files.map(|(name, text)| (name.as_str(), text.as_str())));
    let own = errors.into_iter().filter(|error| *error.file == *file);
    let mut failures: Vec<Failure> = own
        .map(|error| at(file, error.line, error.message))
        .collect();
    failures.extend(of_examples(&guide, file, stops));
    failures
}

fn at(file: &str, line: u32, problem: String) -> Failure {
    Failure {
        file: file.into(),
        line,
        problems: vec![problem],
    }
}

/// Runs the examples of a file.
fn of_examples(guide: &Guide, file: &str, stops: &dyn Fn() -> bool) -> Vec<Failure> {
    let mut failures = Vec::new();
    for guideline in guide.guidelines.iter().filter(|one| *one.file == *file) {
        for example in &guideline.examples {
            if stops() {
                return Vec::new();
            }
            failures.extend(examples::run(guide, guideline, example));
        }
    }
    for topic in &guide.topics {
        if format!("{}/{}/README.md", topic.chapter, topic.id) == file {
            let run = |example| options::run(guide, topic, example);
            failures.extend(topic.examples.iter().filter_map(run));
        }
    }
    for edge in guide.edge_pages.values().filter(|one| *one.file == *file) {
        failures.extend(edges::run(guide, edge));
    }
    for renewal in guide.renewals.iter().filter(|one| *one.file == *file) {
        failures.extend(renewals::run(guide, renewal));
    }
    for detection in guide.detections.iter().filter(|one| *one.file == *file) {
        if let Ok(setting) = ::guide::setting::setting(guide, None, None) {
            let run = audit::detect::examples::run(guide, &setting, detection);
            failures.extend(run);
        }
    }
    failures
}
