//! Counters, gauges and histograms as Prometheus reads them
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! What it deliberately leaves out: labels that grow with what a client sends. Callers name label values from what is
//! built in (guidelines, severities, reasons).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a series is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Every series, with what it counts.
const SERIES: &[(&str, Kind, &str)] = &[
    (
        "seawall_admission_reviews_total",
        Kind::Counter,
        "Reviews answered, by answer.",
    ),
    (
        "seawall_admission_findings_total",
        Kind::Counter,
        "Findings in reviews, by guideline and by what became of them.",
    ),
    (
        "seawall_admission_unknown_total",
        Kind::Counter,
        "Verdicts in reviews that could not be reached, by guideline.",
    ),
    (
        "seawall_admission_opens_total",
        Kind::Counter,
        "What roles and bindings in reviews would let somebody take, by step of attackers.",
    ),
    (
        "seawall_admission_completes_total",
        Kind::Counter,
        "Ways of attackers that objects in reviews would complete, by kind of what is reached.",
    ),
    (
        "seawall_admission_ways_seconds",
        Kind::Gauge,
        "How long it took to look for ways of attackers the last time.",
    ),
    (
        "seawall_admission_not_asked_total",
        Kind::Counter,
        "Guidelines that a review could not be held against, by reason.",
    ),
    (
        "seawall_admission_unjudged_total",
        Kind::Counter,
        "Reviews answered by their failure mode, by reason.",
    ),
    (
        "seawall_admission_seconds",
        Kind::Histogram,
        "From a review's last byte to its answer.",
    ),
    (
        "seawall_http_refused_total",
        Kind::Counter,
        "Requests and connections that were refused, by reason.",
    ),
    ("seawall_http_connections", Kind::Gauge, "Open connections."),
    (
        "seawall_certificate_not_after_seconds",
        Kind::Gauge,
        "When the certificate ends, in seconds since 1970.",
    ),
    (
        "seawall_certificate_loads_total",
        Kind::Counter,
        "Certificates taken into use, and those that could not be.",
    ),
    (
        "seawall_estate_age_seconds",
        Kind::Gauge,
        "Age of the picture of the cluster that reviews are judged beside.",
    ),
];

/// Upper bounds of the buckets of a histogram, in seconds.
const BUCKETS: [f64; 13] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

#[derive(Debug, Clone, Default)]
struct Histogram {
    buckets: [u64; BUCKETS.len()],
    sum: f64,
    count: u64,
}

#[derive(Debug, Default)]
struct Series {
    help: String,
    kind: Option<Kind>,
    values: BTreeMap<String, f64>,
    histogram: Histogram,
}

/// All series of this process.
#[derive(Debug, Default)]
pub struct Metrics {
    series: Mutex<BTreeMap<String, Series>>,
}

impl Metrics {
    /// The series that are always there, at zero where they have no labels.
    #[must_use]
    pub fn new() -> Self {
        let metrics = Self::default();
        for (name, kind, help) in SERIES {
            metrics.describe(name, *kind, help);
        }
        metrics
    }

    fn describe(&self, name: &str, kind: Kind, help: &str) {
        let mut all = self.lock();
        let series = all.entry(name.to_owned()).or_default();
        series.help = help.to_owned();
        series.kind = Some(kind);
    }

    /// Announces a counter of another module.
    pub fn counter(&self, name: &str, help: &str) {
        self.describe(name, Kind::Counter, help);
    }

    /// Announces a gauge of another module.
    pub fn gauge(&self, name: &str, help: &str) {
        self.describe(name, Kind::Gauge, help);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Series>> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to a counter or gauge.
    pub fn add(&self, name: &str, labels: &[(&str, &str)], amount: f64) {
        let mut all = self.lock();
        if let Some(series) = all.get_mut(name) {
            *series.values.entry(written(labels)).or_default() += amount;
        }
    }

    /// Adds one.
    pub fn count(&self, name: &str, labels: &[(&str, &str)]) {
        self.add(name, labels, 1.0);
    }

    /// Sets a gauge.
    pub fn set(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        let mut all = self.lock();
        if let Some(series) = all.get_mut(name) {
            series.values.insert(written(labels), value);
        }
    }

    /// Replaces all values of a gauge: what is no longer there is no longer shown.
    pub fn set_all<'v>(
        &self,
        name: &str,
        values: impl IntoIterator<Item = (Vec<(&'v str, &'v str)>, f64)>,
    ) {
        let values = values
            .into_iter()
            .map(|(labels, value)| (written(&labels), value))
            .collect();
        if let Some(series) = self.lock().get_mut(name) {
            series.values = values;
        }
    }

    /// Notes how long something took.
    pub fn observe(&self, name: &str, seconds: f64) {
        let mut all = self.lock();
        let Some(series) = all.get_mut(name) else {
            return;
        };
        let histogram = &mut series.histogram;
        histogram.sum += seconds;
        histogram.count += 1;
        for (bucket, bound) in histogram.buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(seconds <= bound);
        }
    }

    /// The value of a counter or gauge.
    #[must_use]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let all = self.lock();
        all.get(name)
            .and_then(|series| series.values.get(&written(labels)).copied())
            .unwrap_or_default()
    }

    /// The text of all series.
    #[must_use]
    pub fn text(&self) -> String {
        let all = self.lock();
        let mut text = String::with_capacity(4096);
        for (name, series) in all.iter() {
            let Some(kind) = series.kind else {
                continue;
            };
            let word = match kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {word}", series.help);
            for (labels, value) in &series.values {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
            if kind == Kind::Histogram {
                let histogram = &series.histogram;
                for (bucket, bound) in histogram.buckets.iter().zip(BUCKETS) {
                    let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {bucket}");
                }
                let (sum, count) = (histogram.sum, histogram.count);
                let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {count}");
                let _ = writeln!(text, "{name}_sum {sum}\n{name}_count {count}");
            }
        }
        text
    }
}

/// `{a="b"}`; empty without labels.
fn written(labels: &[(&str, &str)]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let mut text = String::from("{");
    for (key, value) in labels {
        if text.len() > 1 {
            text.push(',');
        }
        let value = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        let _ = write!(text, "{key}=\"{value}\"");
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn text_is_what_prometheus_reads() {
        let metrics = Metrics::new();
        metrics.count("seawall_http_refused_total", &[("why", "a \"b\"\n")]);
        metrics.count("seawall_http_refused_total", &[("why", "a \"b\"\n")]);
        metrics.observe("seawall_admission_seconds", 0.003);
        let text = metrics.text();
        assert!(text.contains("seawall_http_refused_total{why=\"a \\\"b\\\"\\n\"} 2\n"));
        assert!(text.contains("seawall_admission_seconds_bucket{le=\"0.0025\"} 0\n"));
        assert!(text.contains("seawall_admission_seconds_bucket{le=\"0.005\"} 1\n"));
        assert!(text.contains("seawall_admission_seconds_count 1\n"));
        metrics.count("never_announced", &[]);
        assert!(!metrics.text().contains("never_announced"));
    }
}
