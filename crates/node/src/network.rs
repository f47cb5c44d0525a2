//! Ports that are listened on, by `/proc/net`.
//!
//! `Documentation/networking/proc_net_tcp.rst` of Linux: addresses are words in the machine's byte order, `0A` is
//! listening.

use crate::root::Root;
use crate::value::{Place, Value};

/// The listening ports of the node's own network; unknown where these are not its own.
#[must_use]
pub fn listeners(root: &Root) -> Value {
    // `/proc/net` of whoever reads may be that of a pod; that of the first process is the node's.
    let folder = if root.is_own() {
        "/proc/net"
    } else {
        "/proc/1/net"
    };
    let mut found: Vec<(i64, bool)> = Vec::new();
    let nowhere = Place::new("/proc/net/tcp", 1);
    for name in ["tcp", "tcp6"] {
        match root.read_quietly(&format!("{folder}/{name}")) {
            Ok(Some(text)) => found.extend(text.lines().skip(1).filter_map(listening)),
            Ok(None) if name == "tcp6" => {}
            Ok(None) => {
                return Value::unknown(
                    "/proc/net/tcp, which is not there (the node does not run)",
                    &nowhere,
                );
            }
            Err(unread) => return Value::unknown(unread.noun(), &nowhere),
        }
    }
    found.sort_unstable();
    // A port that is open to others is not only one of the machine itself.
    found.dedup_by_key(|(port, _)| *port);
    let items = found.into_iter().map(|(port, loopback)| {
        Value::map(
            [
                ("port", Some(Value::new(port, &nowhere))),
                ("loopback", Some(Value::new(loopback, &nowhere))),
            ],
            &nowhere,
        )
    });
    Value::new(items.collect::<Vec<_>>(), &nowhere)
}

/// The port of a line that listens, and whether only on the machine itself.
fn listening(line: &str) -> Option<(i64, bool)> {
    let mut columns = line.split_ascii_whitespace().skip(1);
    let (address, port) = columns.next()?.split_once(':')?;
    columns.next()?;
    if columns.next()? != "0A" {
        return None;
    }
    let port = i64::from_str_radix(port, 16).ok()?;
    let first = address.get(..8)?;
    let loopback = match address.len() {
        8 => first.ends_with("7F"),
        _ => {
            address == "00000000000000000000000001000000"
                || (address.starts_with("0000000000000000FFFF0000") && address.ends_with("7F"))
        }
    };
    Some((port, loopback))
}

#[cfg(test)]
mod tests {
    use super::listening;

    #[test]
    fn lines_are_read_as_the_kernel_writes_them() {
        let line = |address: &str, state: &str| {
            listening(&format!(
                "   0: {address} 00000000:0000 {state} 00000000:00000000 00:0 0 0 1"
            ))
        };
        assert_eq!(line("00000000:280F", "0A"), Some((10255, false)));
        assert_eq!(line("0100007F:2808", "0A"), Some((10248, true)));
        assert_eq!(line("0100007F:2808", "01"), None);
        assert_eq!(
            line("00000000000000000000000000000000:0016", "0A"),
            Some((22, false))
        );
        assert_eq!(
            line("00000000000000000000000001000000:0016", "0A"),
            Some((22, true))
        );
        assert_eq!(
            line("0000000000000000FFFF00000100007F:0016", "0A"),
            Some((22, true))
        );
    }
}
