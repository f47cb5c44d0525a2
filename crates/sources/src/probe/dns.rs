//! One question by DNS over UDP (RFC 1035, section 4): enough to know whether a server answers.

use std::fs;
use std::net::IpAddr;

/// What is asked for: every cluster has it.
const NAME: [&str; 3] = ["kubernetes", "default", "svc"];

/// Tells the answer from other packets.
const ID: [u8; 2] = [0x5e, 0xa1];

/// The question.
pub(super) fn question() -> Vec<u8> {
    let mut packet = Vec::with_capacity(64);
    packet.extend(ID);
    // A standard query that asks for recursion; one question.
    packet.extend([0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in NAME {
        packet.push(label.len() as u8);
        packet.extend(label.as_bytes());
    }
    // The root; type A, class IN.
    packet.extend([0, 0, 1, 0, 1]);
    packet
}

/// The code of an answer to the question, whatever it says: that the name does not exist is an answer.
pub(super) fn code(packet: &[u8]) -> Option<u16> {
    let [first, second, flags, codes, ..] = packet else {
        return None;
    };
    let answers = [*first, *second] == ID && flags & 0x80 != 0;
    answers.then(|| u16::from(codes & 0x0f))
}

/// The first server that the system asks for names.
pub(super) fn server() -> Option<IpAddr> {
    first(&fs::read_to_string("/etc/resolv.conf").ok()?)
}

fn first(text: &str) -> Option<IpAddr> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next()?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_from_other_packets() {
        let mut answer = question();
        assert_eq!(code(&answer), None, "a question is none");
        answer[2] |= 0x80;
        answer[3] = 0x83;
        assert_eq!(code(&answer), Some(3));
        answer[0] = 0;
        assert_eq!(code(&answer), None);
        assert_eq!(code(&[0x5e]), None);
    }

    #[test]
    fn the_first_server_counts() {
        let text = "search shop.svc.cluster.local\n# nameserver 1.1.1.1\nnameserver 10.0.0.10\nnameserver 10.0.0.11\n";
        assert_eq!(first(text), Some("10.0.0.10".parse().unwrap()));
        assert_eq!(first("options ndots:5\n"), None);
    }
}
