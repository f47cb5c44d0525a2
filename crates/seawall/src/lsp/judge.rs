//! Judges a subject as `seawall assess` does, with what is open in place of what is on disk.

use std::path::{Path, PathBuf};

use ::guide::answers::Given;
use ::guide::{Guide, Guideline};
use model::coverage::DocumentEntry;
use model::finding::Finding;
use model::kinds::Kind;
use sources::Overlay;

use super::subject::Subject;
use crate::choices;
use crate::commands::estate::EstateArgs;
use crate::commands::judged::Question;
use crate::commands::lsp::Args;
use crate::fix::{self, Cure, Proved, Said, Sorted, Sorting};

/// What everything is judged by.
pub(super) struct Judging<'a> {
    pub(super) guide: &'a Guide,
    pub(super) args: &'a Args,
}

/// What was said.
pub(super) struct Judged {
    /// Those that count.
    pub(super) findings: Vec<Finding>,
    /// What could not be read.
    pub(super) unread: Vec<DocumentEntry>,
    /// Where the guide's pages stand.
    pub(super) site: Option<Box<str>>,
}

/// What would cure findings.
pub(super) struct Remedied {
    pub(super) sorted: Sorted,
    was: Said,
    /// The findings, to tell which one an editor means.
    pub(super) findings: Vec<Finding>,
}

impl Judging<'_> {
    /// Judges. It ends early, with an error, where `stops` says so.
    pub(super) fn judge(
        &self,
        subject: &Subject,
        open: &Overlay,
        stops: &(dyn Fn() -> bool + Sync),
    ) -> anyhow::Result<Judged> {
        self.judge_by(subject, open, &|_| true, stops)
    }

    /// The same by the guidelines that need nothing but the object.
    pub(super) fn judge_alone(
        &self,
        subject: &Subject,
        open: &Overlay,
        stops: &(dyn Fn() -> bool + Sync),
    ) -> anyhow::Result<Judged> {
        self.judge_by(subject, open, &|guideline| !guideline.needs.joined, stops)
    }

    fn judge_by(
        &self,
        subject: &Subject,
        open: &Overlay,
        asks: &(dyn Fn(&Guideline) -> bool + Sync),
        stops: &(dyn Fn() -> bool + Sync),
    ) -> anyhow::Result<Judged> {
        let mut findings = Vec::new();
        let answer = self.ask(subject, open, None, asks, |question| {
            question.assess(stops, |finding| {
                if finding.counts() && !finding.place.live {
                    findings.push(finding);
                }
            })
        })?;
        Ok(Judged {
            findings,
            unread: answer.unread().cloned().collect(),
            site: answer.config.site,
        })
    }

    /// Finds what `seawall fix` would do.
    pub(super) fn remedies(&self, subject: &Subject, open: &Overlay) -> anyhow::Result<Remedied> {
        let mut sorting = Sorting::default();
        let mut was = Said::default();
        let mut findings = Vec::new();
        self.ask(
            subject,
            open,
            Some(&Given::default()),
            &|_| true,
            |question| {
                let answer = question.ask(|finding| {
                    was.add(&finding);
                    sorting.add(&finding);
                    findings.push(finding);
                })?;
                was.unread(answer.unread());
                Ok(())
            },
        )?;
        Ok(Remedied {
            sorted: sorting.end(),
            was,
            findings,
        })
    }

    /// Proves cures as `seawall fix` does.
    pub(super) fn prove(
        &self,
        subject: &Subject,
        open: &Overlay,
        remedied: &Remedied,
        cures: &[Cure],
    ) -> anyhow::Result<Proved> {
        self.ask(
            subject,
            open,
            Some(&Given::default()),
            &|_| true,
            |question| fix::prove(question, &remedied.was, cures),
        )
    }

    fn ask<T>(
        &self,
        subject: &Subject,
        open: &Overlay,
        remedies: Option<&Given>,
        asks: &(dyn Fn(&Guideline) -> bool + Sync),
        with: impl FnOnce(&Question<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        // The server may be up for days.
        let as_of = choices::day(self.args.as_of.as_deref())?.to_string();
        let mut new_files = Overlay::default();
        if let Subject::Unsaved(name) = subject
            && let Some(text) = open.get(name)
        {
            new_files = Overlay::new([(name.clone(), text.clone())].into());
        }
        let estate = EstateArgs {
            paths: subject.given().into_iter().collect(),
            module_cache: self.args.module_cache.clone(),
            open: open.clone(),
            ..EstateArgs::default()
        };
        // As in `fix`: no registry is asked.
        let images = Kind::Kubernetes {
            group: "seawall.dev".into(),
            kind: "Image".into(),
        };
        let selects =
            |guideline: &Guideline| asks(guideline) && !guideline.is_about(&images, false);
        with(&Question {
            guide: self.guide,
            estate: &estate,
            config: self.args.config.as_deref(),
            kubernetes: self.args.kubernetes.as_deref(),
            as_of: &as_of,
            selects: &selects,
            overlay: Overlay::default(),
            new_files,
            remedies,
        })
    }

    /// What is wrong with a configuration as it is open, and the line.
    pub(super) fn configuration(&self, path: &Path, text: &str) -> Option<(u32, String)> {
        let shown = sources::shown(path);
        let waivers = path
            .file_name()
            .is_some_and(|name| name == report::config::WAIVERS);
        let parsed = if waivers {
            report::config::Config::default().accept(&shown, text, self.guide)
        } else {
            report::config::Config::parse(&shown, text, self.guide).map(drop)
        };
        parsed.err().map(|error| (error.line, error.message))
    }
}

/// The path of a subject's own file, for what is said about it as a whole.
pub(super) fn own_file(subject: &Subject) -> Option<PathBuf> {
    match subject {
        Subject::File(path) | Subject::Configuration(path) | Subject::Rendered(path, _) => {
            Some(path.clone())
        }
        Subject::Unsaved(name) => Some(PathBuf::from(&**name)),
        Subject::Page(root, below) => Some(super::documents::here(&root.join(&**below))),
        Subject::Terraform(_) => None,
    }
}
