//! Ranges of addresses, cut into subnets.

use std::fmt;
use std::net::Ipv4Addr;

/// A range such as `10.20.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    first: u32,
    bits: u8,
}

impl Range {
    /// Reads it; `None` when it is none, or has bits behind its mask.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let first = u32::from(address.parse::<Ipv4Addr>().ok()?);
        let bits: u8 = bits.parse().ok().filter(|bits| *bits <= 32)?;
        (first & !mask(bits) == 0).then_some(Self { first, bits })
    }

    /// Length of the mask.
    pub(crate) fn bits(self) -> u8 {
        self.bits
    }

    /// Whether both have an address.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        let mask = mask(self.bits.min(other.bits));
        self.first & mask == other.first & mask
    }

    /// The subnet with a mask of `bits` that begins at a distance from the first address; `None` when it does not
    /// lie in the range or does not begin at a border.
    pub(crate) fn subnet(self, distance: u32, bits: u8) -> Option<Self> {
        let first = self.first.checked_add(distance)?;
        let subnet = Self { first, bits };
        (bits >= self.bits && bits <= 32 && first & !mask(bits) == 0 && self.overlaps(subnet))
            .then_some(subnet)
    }

    /// The address at a distance from the first.
    pub(crate) fn address(self, distance: u32) -> Ipv4Addr {
        Ipv4Addr::from(self.first.saturating_add(distance))
    }
}

fn mask(bits: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.first), self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::Range;

    #[test]
    fn cuts() {
        let range = Range::parse("10.20.0.0/16").expect("a range");
        let cut = |distance, bits| range.subnet(distance, bits).map(|cut| cut.to_string());
        assert_eq!(cut(0, 22).as_deref(), Some("10.20.0.0/22"));
        assert_eq!(cut(1024, 28).as_deref(), Some("10.20.4.0/28"));
        assert_eq!(cut(16, 24), None, "no border");
        assert_eq!(cut(65_536, 24), None, "outside");
        assert_eq!(cut(0, 15), None, "larger");
        assert_eq!(Range::parse("10.20.0.1/16"), None);
        assert_eq!(range.address(4).to_string(), "10.20.0.4");
        assert_eq!(Range::parse("0.0.0.0/0").map(Range::bits), Some(0));
    }
}
