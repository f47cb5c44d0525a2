//! What a page for people shows beside findings: the ways of attackers, drawn and told, and what to do about them.
//!
//! What it deliberately leaves out: what is only possible (`seawall paths`), and settling anything
//! (`seawall decide --interactive`).

use std::collections::{BTreeMap, BTreeSet};

use ::guide::measures::{Measures, cuts_something};
use ::guide::{Judge, Setting};
use analysis::Analyses;
use analysis::paths::Graph;
use maud::{Markup, PreEscaped, html};
use report::config::Config;
use report::count;
use report::decide::{Bounds, Chosen, DecideError, Matter, Problem, Terms, sentences, solve};
use report::html::{Part, words};

use crate::commands::attack::{Scene, chosen};
use crate::commands::decide::page as decided;
use crate::commands::paths::{Answer, find, html as ways};

/// Ways that are told on a page.
const WAYS: usize = 12;

/// By what it is told.
pub(super) struct Told<'a> {
    pub(super) scene: Scene<'a>,
    pub(super) setting: &'a Setting,
}

impl Told<'_> {
    pub(super) fn parts(
        &self,
        config: &Config,
        analyses: &Analyses<'_>,
        graph: &Graph,
        looked: find::Looked,
    ) -> anyhow::Result<Vec<Part>> {
        Ok(vec![
            self.ways(analyses, graph, looked),
            self.decisions(config, analyses, graph),
        ])
    }

    fn ways(&self, analyses: &Analyses<'_>, graph: &Graph, looked: find::Looked) -> Part {
        let all = looked.ways.sure;
        let mut pairs = looked.pairs;
        pairs.truncate(WAYS);
        let judge = Judge::new(self.scene.guide, self.setting, cuts_something);
        let mut measures = Measures::new(judge, analyses);
        let chosen = chosen(self.scene.guide, self.setting, analyses);
        measures.leave_out(|measure| chosen.contains(&measure));
        let mut cut_by = BTreeMap::new();
        let steps = pairs.iter().flat_map(|pair| &pair.ways);
        for step in steps.flat_map(|way| &way.steps) {
            if let Some(row) = graph.step(*step) {
                cut_by
                    .entry(*step)
                    .or_insert_with(|| measures.cutting(&row));
            }
        }
        let left_out = all.saturating_sub(pairs.len());
        let answer = Answer {
            scene: self.scene,
            analyses,
            graph,
            pairs,
            left_out,
            narrowed: false,
            totals: BTreeMap::new(),
            counts: (all, 0),
            ways: looked.ways,
            administrators: looked.administrators,
            radius: None,
            through: BTreeSet::new(),
            cut_by,
            chokes: Vec::new(),
        };
        let body = html! {
            p { "From where attacks start to what is worth reaching, each step with what it rests on. These ways rest on what was given alone; " code { "seawall paths" } " tells also those that are only possible." }
            (ways::told(&answer))
            @if left_out > 0 { p.notice { (count(left_out, "more way")) " not shown here: " code { "seawall paths" } " tells them." } }
        };
        Part {
            id: "paths",
            title: "Attack paths",
            style: ways::WAYS_STYLE,
            body,
        }
    }

    fn decisions(&self, config: &Config, analyses: &Analyses<'_>, graph: &Graph) -> Part {
        let body = match self.decided(config, analyses, graph) {
            Ok(body) => body,
            Err(error) => html! {
                p.notice { "Nothing can be decided: " (words(&error.message)) @if let Some(help) = &error.help { ". " (words(help)) } }
            },
        };
        Part {
            id: "decisions",
            title: "What to do about them",
            style: decided::STYLE,
            body,
        }
    }

    fn decided(
        &self,
        config: &Config,
        analyses: &Analyses<'_>,
        graph: &Graph,
    ) -> Result<Markup, DecideError> {
        let terms = Terms::of(&config.budget);
        let matter = Matter {
            guide: self.scene.guide,
            setting: self.setting,
            as_of: self.scene.as_of,
            quantities: &config.quantities,
            analyses,
        };
        let mut problem = Problem::new(&terms, matter, graph, &Chosen::all(graph))?;
        let advice = solve(&mut problem, &terms.settled, Bounds::QUICK)?;
        Ok(html! {
            @for (at, line) in sentences::answer(&problem, &terms.settled, &advice).iter().enumerate() {
                p.answer[at == 0] { (words(line)) }
            }
            // Every text in it is escaped where it is written.
            (PreEscaped(decided::body(&problem, &terms.settled, &advice, "h3")))
        })
    }
}
