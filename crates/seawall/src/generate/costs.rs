//! What options are charged by, for what is to be set up.

use std::path::PathBuf;

use ::guide::Guide;
use ::guide::options::{Quantities, TopicOption};
use generate::{Intent, Plan};

use report::decide::costs::{Bill, Costs, Line};
use report::decide::words;

use crate::failure::Failure;

/// Prices for an intent. How much there is of what they scale with is the guide's assumption.
pub(crate) struct Charges<'g> {
    guide: &'g Guide,
    costs: Costs,
}

impl<'g> Charges<'g> {
    pub(crate) fn of(
        guide: &'g Guide,
        intent: &Intent,
        prices: &[PathBuf],
        as_of: &str,
    ) -> anyhow::Result<Self> {
        let region = Some(intent.region.clone());
        let costs = Costs::of(
            guide,
            prices,
            region,
            "EUR",
            as_of,
            Quantities::assumed(guide),
        )
        .map_err(Failure::from)?;
        Ok(Self { guide, costs })
    }

    fn bill(&self, option: &TopicOption) -> Bill {
        self.costs
            .bill(&option.price, option.effort_days, option.upkeep_hours)
    }

    /// What an option costs, in a line.
    pub(crate) fn line(&self, option: &TopicOption) -> String {
        let bill = self.bill(option);
        let days = words::days(bill.cost.effort);
        let hours = words::hours(bill.cost.upkeep);
        let mut parts = vec![
            format!("{days} {}", if days == "1" { "day" } else { "days" }),
            format!("{hours} h a month"),
        ];
        parts.extend(bill.lines.iter().map(|line| self.charge(line)));
        parts.join("; ")
    }

    fn charge(&self, line: &Line) -> String {
        match line.money {
            Some(cents) => format!(
                "{} {} a month ({})",
                words::money(cents),
                self.costs.currency,
                line.meter
            ),
            None => words::line(line),
        }
    }

    /// What all that is chosen costs a month, in cents, and the meters that have no price.
    pub(crate) fn total(&self, plan: &Plan) -> (i64, Vec<String>) {
        let mut cents = 0;
        let mut without = Vec::new();
        for full in &plan.chosen {
            let Some((_, option)) = self.guide.option(full) else {
                continue;
            };
            for line in self.bill(option).lines {
                match line.money {
                    Some(money) => cents += money,
                    None => without.push(words::line(&line)),
                }
            }
        }
        (cents, without)
    }
}
