//! The kubelet's flags, as pflag reads them.
//!
//! `cmd/kubelet/app/options/options.go` and `globalflags.go` of Kubernetes: a flag that is a truth takes no word after it;
//! underscores are hyphens; of a flag that is given twice the last counts.

use super::unit::Word;
use crate::value::Place;

/// Flags that are truths: `--name` alone says true, and the next word is not their value.
const TRUTHS: &[&str] = &[
    "seccomp-default",
    "exit-on-lock-contention",
    "experimental-allocatable-ignore-eviction",
    "enable-server",
    "fail-swap-on",
    "fail-cgroupv1",
    "anonymous-auth",
    "authentication-token-webhook",
    "rotate-server-certificates",
    "rotate-certificates",
    "enable-debugging-handlers",
    "contention-profiling",
    "cgroups-per-qos",
    "runonce",
    "cpu-cfs-quota",
    "enable-controller-attach-detach",
    "make-iptables-util-chains",
    "kernel-memcg-notification",
    "local-storage-capacity-isolation",
    "serialize-image-pulls",
    "protect-kernel-defaults",
    "register-node",
    "register-schedulable",
    "help",
    "version",
    // of versions before
    "allow-privileged",
    "keep-terminated-pod-volumes",
    "experimental-kernel-memcg-notification",
    "experimental-check-node-capabilities-before-mount",
    "redirect-container-streaming",
    "enable-cadvisor-json-endpoints",
    // of the log
    "logtostderr",
    "alsologtostderr",
    "add-dir-header",
    "skip-headers",
    "skip-log-headers",
    "one-output",
    "log-json-split-stream",
    "log-text-split-stream",
];

/// A flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flag {
    /// Its name, with hyphens.
    pub(super) name: String,
    /// Its value.
    pub(super) value: String,
    /// Where it stands.
    pub(super) place: Place,
}

/// The flags among the words behind the program.
#[must_use]
pub(super) fn parse(words: &[Word]) -> Vec<Flag> {
    let mut flags = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        if word.text == "--" {
            break;
        }
        let Some(own) = word.text.strip_prefix('-').filter(|own| !own.is_empty()) else {
            continue;
        };
        let long = own.strip_prefix('-');
        let (name, value) = match long.unwrap_or(own).split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (long.unwrap_or(own), None),
        };
        // `-v2`
        let (name, value) = match (long, value) {
            (None, None) if name.len() > 1 && name.is_ascii() => {
                let (short, rest) = name.split_at(1);
                (short, Some(rest.to_owned()))
            }
            (_, value) => (name, value),
        };
        let name = name.replace('_', "-");
        let value = value.unwrap_or_else(|| {
            if TRUTHS.contains(&name.as_str()) {
                "true".to_owned()
            } else {
                words
                    .next()
                    .map(|next| next.text.clone())
                    .unwrap_or_default()
            }
        });
        flags.push(Flag {
            name,
            value,
            place: word.place.clone(),
        });
    }
    flags
}

/// The last flag of a name.
#[must_use]
pub(super) fn last<'f>(flags: &'f [Flag], name: &str) -> Option<&'f Flag> {
    flags.iter().rev().find(|flag| flag.name == name)
}

/// A truth as `strconv.ParseBool` reads it.
#[must_use]
pub(super) fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// A duration as `time.ParseDuration` reads it, in whole seconds, rounded up where it is longer than nothing.
#[must_use]
pub(super) fn seconds(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0f64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at_checked(end)?;
        let number: f64 = number.parse().ok()?;
        let end = behind
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(behind.len());
        let (unit, next) = behind.split_at_checked(end)?;
        total += number
            * match unit {
                "ns" => 1e-9,
                "us" | "µs" | "μs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        rest = next;
    }
    let total = if negative { -total } else { total };
    Some(total.ceil().clamp(-1e15, 1e15) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(line: &str) -> Vec<(String, String)> {
        let words: Vec<Word> = line
            .split_whitespace()
            .map(|text| Word {
                text: text.to_owned(),
                place: Place::new("u", 1),
            })
            .collect();
        let own = parse(&words).into_iter();
        own.map(|flag| (flag.name, flag.value)).collect()
    }

    #[test]
    fn flags_are_read_as_pflag_reads_them() {
        let found = flags(
            "--anonymous-auth false --config /a --v=2 -v3 --rotate_certificates --read-only-port=0 -- --x=1",
        );
        let shown: Vec<String> = found.iter().map(|(n, v)| format!("{n}={v}")).collect();
        // `false` behind a truth is no value of it.
        assert_eq!(
            shown,
            [
                "anonymous-auth=true",
                "config=/a",
                "v=2",
                "v=3",
                "rotate-certificates=true",
                "read-only-port=0"
            ]
        );
    }

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, wanted) in [
            ("4h0m0s", Some(14400)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("1ms", Some(1)),
            ("1.5h", Some(5400)),
            ("-1s", Some(-1)),
            ("4", None),
            ("", None),
            ("1x", None),
        ] {
            assert_eq!(seconds(text), wanted, "{text}");
        }
    }
}
