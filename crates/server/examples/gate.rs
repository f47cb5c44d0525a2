//! How long one review takes in process: a pod of ten containers before every guideline about workloads.
//!
//! ```text
//! cargo run --release -p seawall-server --example gate [REVIEWS]
//! ```
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a measurement for people at a terminal"
)]

#[path = "reviews/pods.rs"]
mod pods;

use std::time::Instant;

use guide::guideline::Applies;
use guide::{Guide, setting};
use model::managed::Managed;
use report::config::Config;
use report::triage::Triage;
use server::admission::{Answer, Gate, Half, Review, Rules};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(20_000, |number| {
        number.parse().expect("a number of reviews")
    });
    let (guide, _) = Guide::builtin();
    let setting = setting::setting(&guide, None, Some(34)).expect("the guide's own parameters");
    let triage = Triage::new(&Config::default(), "2026-11-27");
    let gate = Gate::new(
        &guide,
        &setting,
        Rules::default(),
        triage,
        Managed::default(),
        |guideline| guideline.applies == Applies::Workload,
    );
    for (name, body) in [
        ("follows all", pods::good(10)),
        ("fails many", pods::bad(10)),
    ] {
        let mut times = Vec::with_capacity(rounds);
        let (mut judged, mut said, mut bytes) = (0, 0, 0);
        for round in 0..rounds + 200 {
            let begin = Instant::now();
            let review = Review::parse(&body).expect("a review");
            let decision = gate.decide(&review, Half::Both, None, None, &|_| false);
            let answer = Answer::of(&decision, None).json(&review.uid);
            // The first ones find caches cold.
            if round >= 200 {
                times.push(begin.elapsed());
            }
            (judged, said, bytes) = (decision.judged, decision.said.len(), answer.len());
        }
        times.sort();
        let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_micros();
        println!(
            "{name}: {judged} guidelines, {said} findings, {} bytes in, {bytes} out: p50 {} us, p99 {} us, p99.9 {} us",
            body.len(),
            at(0.5),
            at(0.99),
            at(0.999)
        );
    }
}
