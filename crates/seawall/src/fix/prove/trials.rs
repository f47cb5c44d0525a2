//! Assessments of what some of the cures would make.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ::guide::Guideline;

use super::said::{Count, Key, Said};
use super::{Stays, Trouble, troubles};
use crate::commands::estate::EstateArgs;
use crate::commands::judged::Question;
use crate::fix::cure::{Cure, Numbered};
use crate::fix::texts::{Disk, Texts};

/// What is assessed again.
pub(super) struct Trials<'a> {
    pub(super) question: &'a Question<'a>,
    pub(super) was: &'a Said,
    pub(super) cures: &'a [Cure],
    pub(super) disk: &'a Disk,
}

impl<'a> Trials<'a> {
    /// Cures with their numbers.
    pub(super) fn chosen(&self, numbers: &BTreeSet<usize>) -> Vec<Numbered<'a>> {
        let all = numbers.iter();
        all.filter_map(|number| Some((*number, self.cures.get(*number)?)))
            .collect()
    }

    pub(super) fn texts(&self, numbers: &BTreeSet<usize>) -> Texts {
        Texts::of(&self.chosen(numbers), self.disk)
    }

    /// What is wrong with all that was given, with these texts.
    pub(super) fn troubles(
        &self,
        numbers: &BTreeSet<usize>,
        texts: &Texts,
        stays: &Stays,
    ) -> anyhow::Result<Vec<Trouble>> {
        let mut is = Said::default();
        let after = Question {
            overlay: texts.overlay(),
            new_files: texts.new_files(),
            remedies: None,
            ..*self.question
        }
        .ask(|finding| is.add(&finding))?;
        is.unread(after.unread());
        let cures = self.chosen(numbers);
        let guide = self.question.guide;
        Ok(troubles(guide, &cures, stays, self.was, &is, texts))
    }

    /// Whether some cures make a verdict worse by themselves, in the file of the object alone.
    pub(super) fn worse_in_file(&self, key: &Key, cures: &[Numbered<'_>]) -> anyhow::Result<bool> {
        let estate = EstateArgs {
            paths: vec![PathBuf::from(&*key.1)],
            whole: self.question.estate.whole,
            renderings: self.question.estate.renderings.clone(),
            open: self.question.estate.open.clone(),
            ..EstateArgs::default()
        };
        let here = cures.iter().filter(|(_, cure)| cure.path == key.1);
        let texts = Texts::of(&here.copied().collect::<Vec<_>>(), self.disk);
        if texts.files.is_empty() {
            return Ok(false);
        }
        let before = self.count(key, &estate, &Texts::default())?;
        Ok(self.count(key, &estate, &texts)?.worse_than(before))
    }

    /// What one guideline says of one object.
    fn count(&self, key: &Key, estate: &EstateArgs, texts: &Texts) -> anyhow::Result<Count> {
        let mut said = Said::default();
        Question {
            estate,
            selects: &|guideline: &Guideline| guideline.id == key.0,
            overlay: texts.overlay(),
            new_files: texts.new_files(),
            remedies: None,
            ..*self.question
        }
        .ask(|finding| said.add(&finding))?;
        Ok(said.of(key))
    }
}
