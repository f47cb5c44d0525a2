//! The configuration of containerd, as far as it opens something.
//!
//! Of TOML only what such files use is read: tables and plain values; longer lists are read only for `imports`. Entries
//! about credentials of registries are not kept. <https://github.com/containerd/containerd/blob/main/docs/cri/config.md>,
//! `docs/hosts.md`.

use crate::root::{Root, Unread};
use crate::value::{Place, Value};

const CONFIG: &str = "/etc/containerd/config.toml";
const HOSTS: &str = "/etc/containerd/certs.d";

/// A value of a table.
#[derive(Debug)]
struct Line {
    /// Names of the tables that hold it, then its own.
    way: Vec<String>,
    text: String,
    place: Place,
}

/// What containerd is told; `None` where it is not there.
#[must_use]
pub fn read(root: &Root) -> Option<Value> {
    let place = Place::new(CONFIG, 1);
    let mut lines = Vec::new();
    let text = match root.read(CONFIG) {
        Ok(Some(text)) => text,
        Ok(None) => return None,
        Err(unread) => return Some(unknown(&unread, &place)),
    };
    let mut imports = toml(CONFIG, &text, &mut lines);
    imports.truncate(64);
    for pattern in imports {
        let files = match imported(root, &pattern) {
            Ok(files) => files,
            Err(unread) => return Some(unknown(&unread, &place)),
        };
        for file in files {
            match root.read(&file) {
                Ok(text) => {
                    toml(&file, &text.unwrap_or_default(), &mut lines);
                }
                Err(unread) => return Some(unknown(&unread, &place)),
            }
        }
    }
    let last = |way: &[&str]| {
        let ends = |line: &&Line| {
            line.way.len() >= way.len()
                && line
                    .way
                    .iter()
                    .rev()
                    .zip(way.iter().rev())
                    .all(|(own, wanted)| own == wanted)
        };
        lines.iter().rev().find(ends)
    };
    let truth = |name: &str| {
        let line = last(&[name]);
        let place = line.map_or(&place, |line| &line.place);
        Value::new(line.is_some_and(|line| line.text == "true"), place)
    };
    let tcp = last(&["grpc", "tcp_address"]).filter(|line| !line.text.is_empty());
    let seccomp = last(&["unset_seccomp_profile"]).filter(|line| !line.text.is_empty());
    let entries = [
        ("config", Some(Value::new(CONFIG, &place))),
        (
            "tcpAddress",
            tcp.map(|line| Value::new(line.text.as_str(), &line.place)),
        ),
        ("disableApparmor", Some(truth("disable_apparmor"))),
        (
            "unsetSeccompProfile",
            seccomp.map(|line| Value::new(line.text.as_str(), &line.place)),
        ),
        ("openRegistries", Some(registries(root, &lines, &place))),
    ];
    Some(Value::map(entries, &place))
}

fn unknown(unread: &Unread, place: &Place) -> Value {
    let unknown = |key| (key, Some(Value::unknown(unread.noun(), place)));
    let keys = [
        "tcpAddress",
        "disableApparmor",
        "unsetSeccompProfile",
        "openRegistries",
    ];
    Value::map(keys.map(unknown), place)
}

/// Registries that are spoken to without TLS, or without a look at their certificates.
fn registries(root: &Root, lines: &[Line], place: &Place) -> Value {
    let mut found = Vec::new();
    for line in lines {
        if line
            .way
            .last()
            .is_some_and(|key| key == "insecure_skip_verify")
            && line.text == "true"
        {
            let host = line.way.iter().rev().nth(2).cloned().unwrap_or_default();
            found.push(registry(
                &host,
                "its certificate is not checked",
                &line.place,
            ));
        }
        let mirror = line
            .way
            .iter()
            .rev()
            .nth(2)
            .is_some_and(|key| key == "mirrors");
        if mirror && line.text.contains("http://") {
            let host = line.way.iter().rev().nth(1).cloned().unwrap_or_default();
            found.push(registry(&host, "it is spoken to without TLS", &line.place));
        }
    }
    let hosts = match root.list(HOSTS) {
        Ok(hosts) => hosts.unwrap_or_default(),
        Err(unread) => return Value::unknown(unread.noun(), place),
    };
    for host in hosts {
        let path = format!("{HOSTS}/{host}/hosts.toml");
        let mut own = Vec::new();
        match root.read(&path) {
            Ok(text) => {
                toml(&path, &text.unwrap_or_default(), &mut own);
            }
            Err(unread) => {
                found.push(Value::unknown(unread.noun(), &Place::new(&path, 1)));
                continue;
            }
        }
        for line in &own {
            let clear = line.way.iter().any(|key| key.starts_with("http://"))
                || (line.way.last().is_some_and(|key| key == "server")
                    && line.text.starts_with("http://"));
            if line.way.last().is_some_and(|key| key == "skip_verify") && line.text == "true" {
                found.push(registry(
                    &host,
                    "its certificate is not checked",
                    &line.place,
                ));
            } else if clear {
                found.push(registry(&host, "it is spoken to without TLS", &line.place));
            }
        }
    }
    Value::new(found, place)
}

fn registry(host: &str, why: &str, place: &Place) -> Value {
    Value::map(
        [
            ("name", Some(Value::new(host, place))),
            ("why", Some(Value::new(why, place))),
        ],
        place,
    )
}

/// Files that `imports` names.
fn imported(root: &Root, pattern: &str) -> Result<Vec<String>, Unread> {
    let (folder, last) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let Some(ending) = last.strip_prefix('*') else {
        return Ok(vec![pattern.to_owned()]);
    };
    let names = root.list(folder)?.unwrap_or_default();
    Ok(names
        .into_iter()
        .filter(|name| name.ends_with(ending))
        .map(|name| format!("{folder}/{name}"))
        .collect())
}

/// Reads tables and values; gives what is imported.
fn toml(file: &str, text: &str, lines: &mut Vec<Line>) -> Vec<String> {
    let mut table: Vec<String> = Vec::new();
    let mut imports = Vec::new();
    let mut importing = false;
    for (number, line) in (1u32..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if importing {
            imports.extend(strings(line));
            importing = !line.contains(']');
            continue;
        }
        if let Some(inner) = line.strip_prefix('[')
            && !line.contains('=')
        {
            let end = inner.rfind(']').unwrap_or(inner.len());
            let inner = inner.get(..end).unwrap_or_default();
            table = keys(inner.trim_matches(['[', ']']));
            continue;
        }
        let Some((key, value)) = assignment(line) else {
            continue;
        };
        let own = keys(key);
        if table.is_empty() && own.first().is_some_and(|key| key == "imports") {
            imports.extend(strings(value));
            importing = !value.contains(']');
            continue;
        }
        // Passwords and tokens of registries stand here.
        if table
            .iter()
            .chain(&own)
            .any(|key| key == "auth" || key == "header" || key == "headers")
        {
            continue;
        }
        let way = table.iter().chain(&own).take(32).cloned().collect();
        let text = strings(value).first().cloned();
        // A list of addresses is kept as it stands.
        let text = match text {
            Some(text) if !value.starts_with('[') => text,
            _ => value
                .split('#')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned(),
        };
        lines.push(Line {
            way,
            text,
            place: Place::new(file, number),
        });
    }
    imports
}

/// `KEY = VALUE`, whatever stands in quotes in the key.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let mut quoted = None;
    for (at, c) in line.char_indices() {
        match (c, quoted) {
            ('=', None) => {
                let (key, value) = line.split_at_checked(at)?;
                return Some((key.trim(), value.strip_prefix('=')?.trim()));
            }
            (c, Some(open)) if c == open => quoted = None,
            ('"' | '\'', None) => quoted = Some(c),
            _ => {}
        }
    }
    None
}

/// The parts of `a."b.c".d`.
fn keys(text: &str) -> Vec<String> {
    let mut keys = vec![String::new()];
    let mut quoted = None;
    for c in text.chars() {
        match (c, quoted) {
            (c, Some(open)) if c == open => quoted = None,
            ('"' | '\'', None) => quoted = Some(c),
            ('.', None) => keys.push(String::new()),
            (c, None) if c.is_whitespace() => {}
            (c, _) => {
                if let Some(last) = keys.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    keys
}

/// The strings in quotes of a value.
fn strings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(char, String)> = None;
    for c in text.chars() {
        match (&mut open, c) {
            (Some((quote, text)), c) if c == *quote => {
                found.push(std::mem::take(text));
                open = None;
            }
            (Some((_, text)), c) => text.push(c),
            (None, '"' | '\'') => open = Some((c, String::new())),
            (None, '#') => break,
            (None, _) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_values_are_read_and_credentials_are_not() {
        let text = "version = 2\nimports = [\n \"/etc/containerd/conf.d/*.toml\",\n]\n[grpc]\n  tcp_address = \"0.0.0.0:1234\" # open\n[plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"a.example.com:5000\".tls]\n  insecure_skip_verify = true\n[plugins.'x'.registry.configs.'a'.auth]\n  password = \"hunter2\"\n[a]\nb.c = 'd'\n";
        let mut lines = Vec::new();
        assert_eq!(
            toml("f", text, &mut lines),
            ["/etc/containerd/conf.d/*.toml"]
        );
        let shown: Vec<String> = lines
            .iter()
            .map(|line| format!("{}={}@{}", line.way.join("/"), line.text, line.place.line))
            .collect();
        assert_eq!(
            shown,
            [
                "version=2@1",
                "grpc/tcp_address=0.0.0.0:1234@6",
                "plugins/io.containerd.grpc.v1.cri/registry/configs/a.example.com:5000/tls/insecure_skip_verify=true@8",
                "a/b/c=d@12",
            ]
        );
    }
}
