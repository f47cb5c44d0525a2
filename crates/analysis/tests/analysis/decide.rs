//! Decisions held against all subsets of measures, on attacks that are derived by a fixed point.

#[path = "decide/brute.rs"]
mod brute;
#[path = "decide/corners.rs"]
mod corners;
#[path = "decide/random.rs"]
mod random;
#[path = "decide/speed.rs"]
mod speed;
#[path = "decide/steps.rs"]
mod steps;
