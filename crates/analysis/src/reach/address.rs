//! Addresses: CIDR blocks and single addresses as sets of numbers, and their text.
//!
//! IPv4 stands where IPv6 keeps IPv4-mapped addresses (`::ffff:0:0/96`), which no packet carries, so
//! that one set holds both and `::/0` still means IPv6 only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::ranges::Ranges;

/// The first number of IPv4.
const V4: u128 = 0xffff_0000_0000;
/// The last number of IPv4.
const V4_LAST: u128 = 0xffff_ffff_ffff;

/// The instance metadata service of Azure virtual machines (Azure documentation,
/// virtual-machines/instance-metadata-service).
pub const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// Azure's wire server, which hands out settings of extensions and certificates (Azure
/// documentation, virtual-network/what-is-ip-address-168-63-129-16).
pub const WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// Every IPv4 address.
#[must_use]
pub fn v4() -> Ranges {
    Ranges::of(V4, V4_LAST)
}

/// Every IPv6 address.
#[must_use]
pub fn v6() -> Ranges {
    Ranges::of(0, u128::MAX).minus(&v4())
}

/// One address.
#[must_use]
pub fn single(address: IpAddr) -> Ranges {
    let number = number(address);
    Ranges::of(number, number)
}

/// `10.0.0.0/8`, `2001:db8::/32`, or an address alone. Host bits may be set, as the API server
/// accepts them in old objects (`ParseCIDRSloppy`).
#[must_use]
pub fn block(text: &str) -> Option<Ranges> {
    let text = text.trim();
    let Some((address, length)) = text.split_once('/') else {
        return Some(single(address(text)?));
    };
    let address = self::address(address)?;
    let bits: u32 = if address.is_ipv4() { 32 } else { 128 };
    let length: u32 = length.parse().ok().filter(|length| *length <= bits)?;
    let hosts = bits - length;
    let low = if hosts == 128 {
        u128::MAX
    } else {
        (1 << hosts) - 1
    };
    let first = number(address) & !low;
    let whole = Ranges::of(first, first | low);
    Some(if address.is_ipv6() {
        whole.intersection(&v6())
    } else {
        whole
    })
}

/// Go's sloppy parser takes leading zeros; Rust's does not.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| {
        let parts: Vec<u8> = text
            .split('.')
            .map(|part| part.parse().ok())
            .collect::<Option<_>>()?;
        let parts: [u8; 4] = parts.try_into().ok()?;
        Some(IpAddr::from(parts))
    })
}

const fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => V4 | address.to_bits() as u128,
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn text(number: u128) -> String {
    if (V4..=V4_LAST).contains(&number) {
        Ipv4Addr::from_bits((number - V4) as u32).to_string()
    } else {
        Ipv6Addr::from_bits(number).to_string()
    }
}

/// The ranges of a set as text: `1.2.3.0-1.2.3.255`, a single address twice.
pub fn spans(set: &Ranges) -> impl Iterator<Item = String> + '_ {
    // IPv4 first: that is what people look for.
    let of = |part: Ranges| part.parts().to_vec();
    of(set.intersection(&v4()))
        .into_iter()
        .chain(of(set.intersection(&v6())))
        .map(|(first, last)| format!("{}-{}", text(first), text(last)))
}

/// The set as people write it: blocks and single addresses where that is short, ranges elsewhere.
#[must_use]
pub fn shown(set: &Ranges) -> String {
    if *set == v4().union(&v6()) {
        return "any address".to_owned();
    }
    let mut parts = Vec::new();
    for family in [set.intersection(&v4()), set.intersection(&v6())] {
        for (first, last) in family.parts() {
            parts.push(span(*first, *last));
        }
    }
    parts.join(", ")
}

/// The set by its name where it has one: `the internet`, `the internet but 1.2.3.0/24`.
#[must_use]
pub fn named(set: &Ranges) -> String {
    let six = set.meets(&v6());
    if *set == v4() || *set == v4().union(&v6()) {
        return shown(set);
    }
    let family = if six { v4().union(&v6()) } else { v4() };
    let all = public().intersection(&family);
    let mut words = Vec::new();
    let mut rest = set.clone();
    let part = set.intersection(&all);
    let holes = all.minus(&part);
    if holes.is_empty() {
        words.push("the internet".to_owned());
        rest = rest.minus(&all);
    } else if holes.parts().len() < part.parts().len() {
        words.push(format!("the internet but {}", shown(&holes)));
        rest = rest.minus(&all);
    }
    let platform = single(METADATA.into()).union(&single(WIRE_SERVER.into()));
    let inner = family.minus(&all).minus(&platform);
    if rest.covers(&inner) {
        words.push("all that is not public".to_owned());
        rest = rest.minus(&inner);
    }
    if !rest.is_empty() {
        words.push(shown(&rest));
    }
    words.join("; ")
}

fn span(first: u128, last: u128) -> String {
    if first == last {
        return text(first);
    }
    let size = last - first;
    let v4 = (V4..=V4_LAST).contains(&first);
    // A block is as long as a power of two and begins at a multiple of it.
    if size & size.wrapping_add(1) == 0 && first & size == 0 {
        let hosts = size.count_ones();
        let bits = if v4 { 32 } else { 128 };
        return format!("{}/{}", text(first), bits - hosts);
    }
    format!("{}-{}", text(first), text(last))
}

/// Addresses that packets do not carry over the internet: private, shared, link-local, loopback,
/// multicast and reserved ones (IANA's special-purpose registries), and the wire server.
#[must_use]
pub fn not_public() -> Ranges {
    union_of(&[
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "168.63.129.16/32",
        // All of IPv6 but 2000::/3.
        "::/3",
        "4000::/2",
        "8000::/1",
    ])
}

/// Addresses that the internet routes.
#[must_use]
pub fn public() -> Ranges {
    v4().union(&v6()).minus(&not_public())
}

/// What a private network is numbered from (RFC 1918, RFC 6598).
#[must_use]
pub fn private() -> Ranges {
    union_of(&[
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
    ])
}

/// The set of several blocks; what is no block is left out.
#[must_use]
pub fn union_of(blocks: &[&str]) -> Ranges {
    blocks
        .iter()
        .filter_map(|text| block(text))
        .fold(Ranges::empty(), |all, one| all.union(&one))
}

#[cfg(test)]
mod tests {
    use super::{block, named, not_public, public, shown, spans, union_of, v4, v6};

    #[test]
    fn sets_have_names() {
        let internet = public().intersection(&v4());
        let hole = block("1.2.3.0/24").unwrap();
        for (set, name) in [
            (internet.clone(), "the internet"),
            (public(), "the internet"),
            (internet.minus(&hole), "the internet but 1.2.3.0/24"),
            (
                internet.union(&block("10.0.0.0/8").unwrap()),
                "the internet; 10.0.0.0/8",
            ),
            (hole, "1.2.3.0/24"),
            (v4(), "0.0.0.0/0"),
            (v4().union(&v6()), "any address"),
            (
                v4().minus(&block("169.254.169.254").unwrap()),
                "the internet; all that is not public; 168.63.129.16",
            ),
            (
                not_public().intersection(&v4()),
                "all that is not public; 168.63.129.16, 169.254.169.254",
            ),
            (block("10.0.0.0/8").unwrap(), "10.0.0.0/8"),
        ] {
            assert_eq!(named(&set), name);
        }
    }

    #[test]
    fn blocks_are_read_and_written() {
        for (given, first) in [
            ("10.1.2.3/8", "10.0.0.0-10.255.255.255"),
            ("1.2.3.4", "1.2.3.4-1.2.3.4"),
            ("0.0.0.0/0", "0.0.0.0-255.255.255.255"),
            ("010.0.0.1/32", "10.0.0.1-10.0.0.1"),
            ("2001:db8::/127", "2001:db8::-2001:db8::1"),
        ] {
            let set = block(given).unwrap();
            assert_eq!(spans(&set).next().unwrap(), first, "{given}");
        }
        for bad in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "x", "300.0.0.1"] {
            assert_eq!(block(bad), None, "{bad}");
        }
        assert_eq!(
            shown(&union_of(&["10.0.0.0/8", "1.1.1.1"])),
            "1.1.1.1, 10.0.0.0/8"
        );
        assert_eq!(shown(&v4()), "0.0.0.0/0");
        assert_eq!(block("::/0").unwrap(), v6());
        assert!(v6().intersection(&v4()).is_empty());
        assert!(public().covers(&block("8.8.8.8").unwrap()));
        assert!(!public().meets(&block("10.0.0.0/8").unwrap()));
    }
}
