//! The distribution and its version, the kernel, restarts that are due, automatic updates.

use crate::root::Root;
use crate::value::{Place, Value};

/// The distribution: `id`, `version`, `title`, `kernel`.
#[must_use]
pub fn os(root: &Root) -> Value {
    let paths = ["/etc/os-release", "/usr/lib/os-release"];
    let path = paths.into_iter().find(|path| root.has(path));
    let place = Place::new(path.unwrap_or("/etc/os-release"), 1);
    let text = match root.read(&place.file) {
        Ok(text) => text.unwrap_or_default(),
        Err(unread) => {
            let unknown = |key| (key, Some(Value::unknown(unread.noun(), &place)));
            return Value::map(["id", "version"].map(unknown), &place);
        }
    };
    let find = |wanted: &str| {
        (1u32..).zip(text.lines()).find_map(|(number, line)| {
            let (key, value) = line.split_once('=')?;
            let value = value.trim().trim_matches(['"', '\'']);
            (key.trim() == wanted).then(|| Value::new(value, &Place::new(&place.file, number)))
        })
    };
    let kernel = root
        .read_quietly("/proc/sys/kernel/osrelease")
        .ok()
        .flatten();
    let kernel =
        kernel.map(|text| Value::new(text.trim(), &Place::new("/proc/sys/kernel/osrelease", 1)));
    Value::map(
        [
            ("id", find("ID")),
            ("version", find("VERSION_ID")),
            ("title", find("PRETTY_NAME")),
            ("kernel", kernel),
        ],
        &place,
    )
}

/// Whether the node waits for a restart: since when, and for which packages or kernel.
#[must_use]
pub fn restart(root: &Root) -> Value {
    let paths = ["/run/reboot-required", "/var/run/reboot-required"];
    for path in paths {
        let place = Place::new(path, 1);
        match root.stat(path) {
            Ok(Some(stat)) => {
                let packages = root.read(&format!("{path}.pkgs")).ok().flatten();
                let packages = packages.unwrap_or_default();
                let packages = (1u32..).zip(packages.lines()).take(64);
                let packages = packages.map(|(number, line)| {
                    Value::new(line.trim(), &Place::new(&format!("{path}.pkgs"), number))
                });
                return Value::map(
                    [
                        ("due", Some(Value::new(true, &place))),
                        ("since", Some(Value::new(timestamp(stat.changed), &place))),
                        (
                            "packages",
                            Some(Value::new(packages.collect::<Vec<_>>(), &place)),
                        ),
                    ],
                    &place,
                );
            }
            Ok(None) => {}
            Err(unread) => {
                let due = Value::unknown(unread.noun(), &place);
                return Value::map([("due", Some(due))], &place);
            }
        }
    }
    let place = Place::new("/run", 1);
    if let Some(newer) = newer_kernel(root) {
        return newer;
    }
    // A node that runs has something there, unless it is kept from whoever reads.
    let hidden = root.has("/proc/sys/kernel") && !root.has("/run/systemd");
    let due = if hidden {
        Value::unknown("/run (it is not shown)", &place)
    } else {
        Value::new(false, &place)
    };
    Value::map([("due", Some(due))], &place)
}

/// A kernel that is installed and newer than the one that runs. Azure Linux has no file that says so.
fn newer_kernel(root: &Root) -> Option<Value> {
    let running = root
        .read_quietly("/proc/sys/kernel/osrelease")
        .ok()
        .flatten()?;
    let running = running.trim();
    let place = Place::new("/lib/modules", 1);
    let installed = root.list("/lib/modules").ok().flatten()?;
    // Of another flavour it is no successor.
    let newest = installed
        .iter()
        .filter(|name| flavour(name) == flavour(running))
        .max_by_key(|name| numbers(name))?;
    if numbers(newest) <= numbers(running) {
        return None;
    }
    let since = root.stat(&format!("/lib/modules/{newest}")).ok().flatten();
    Some(Value::map(
        [
            ("due", Some(Value::new(true, &place))),
            (
                "since",
                since.map(|stat| Value::new(timestamp(stat.changed), &place)),
            ),
            (
                "packages",
                Some(Value::new(
                    vec![Value::new(format!("kernel {newest}"), &place)],
                    &place,
                )),
            ),
        ],
        &place,
    ))
}

fn numbers(name: &str) -> Vec<u64> {
    name.split(|c: char| !c.is_ascii_digit())
        .filter_map(|part| part.parse().ok())
        .collect()
}

fn flavour(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphabetic()).collect()
}

/// Whether the distribution installs updates by itself. On AKS the channel of node images decides whether it is to.
#[must_use]
pub fn updates(root: &Root) -> Value {
    let folder = "/etc/apt/apt.conf.d";
    let place = Place::new(folder, 1);
    let names = match root.list(folder) {
        Ok(names) => names,
        Err(unread) => return Value::unknown(unread.noun(), &place),
    };
    let Some(names) = names else {
        let wants = "/etc/systemd/system/timers.target.wants";
        let timers = root.list(wants).ok().flatten().unwrap_or_default();
        let found = timers.iter().find(|name| {
            matches!(
                name.as_str(),
                "dnf-automatic.timer" | "dnf-automatic-install.timer"
            )
        });
        return Value::new(found.is_some(), &Place::new(wants, 1));
    };
    let mut said = Value::new(false, &place);
    for name in names {
        let path = format!("{folder}/{name}");
        match root.read(&path) {
            Ok(text) => {
                for (number, line) in (1u32..).zip(text.unwrap_or_default().lines()) {
                    let line = line.trim();
                    if let Some(rest) = line.strip_prefix("APT::Periodic::Unattended-Upgrade") {
                        let value = rest.trim().trim_end_matches(';').trim_matches('"');
                        said = Value::new(value != "0", &Place::new(&path, number));
                    }
                }
            }
            Err(unread) => return Value::unknown(unread.noun(), &Place::new(&path, 1)),
        }
    }
    said
}

/// `2026-11-27T10:00:00Z` of seconds since 1970.
pub(crate) fn timestamp(seconds: i64) -> String {
    let seconds = seconds.clamp(0, 253_402_300_799);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant's civil_from_days: years begin in March.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::{numbers, timestamp};

    #[test]
    fn seconds_are_days_and_times() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_764_238_496, "2025-11-27T10:14:56Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(timestamp(seconds), text);
        }
    }

    #[test]
    fn kernels_are_compared_by_their_numbers() {
        assert!(numbers("6.6.100.1-2.azl3") > numbers("6.6.99.1-3.azl3"));
        assert!(numbers("5.15.0-1079-azure") < numbers("5.15.0-1080-azure"));
    }
}
