//! Address ranges: `parseCidr`, `cidrSubnet`, `cidrHost`.
//! <https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-cidr>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::functions::{Args, Fault, Function, Outcome, plain};
use crate::value::{Data, Shape};

pub(crate) const FUNCTIONS: &[Function] = &[
    plain("parseCidr", 1, 1, Shape::Object, parse_cidr),
    plain("cidrSubnet", 3, 3, Shape::String, cidr_subnet),
    plain("cidrHost", 2, 2, Shape::String, cidr_host),
];

/// A range of addresses.
struct Range {
    /// The first address.
    network: u128,
    prefix: u32,
    v6: bool,
}

impl Range {
    const fn bits(&self) -> u32 {
        if self.v6 { 128 } else { 32 }
    }

    /// How many addresses there are, less one.
    const fn span(&self) -> u128 {
        let host = self.bits() - self.prefix;
        if host == 128 {
            u128::MAX
        } else {
            (1 << host) - 1
        }
    }

    const fn last(&self) -> u128 {
        self.network | self.span()
    }

    fn text(&self, address: u128) -> String {
        if self.v6 {
            Ipv6Addr::from(address).to_string()
        } else {
            Ipv4Addr::from(address as u32).to_string()
        }
    }
}

fn parse(text: &str) -> Result<Range, Fault> {
    let wrong = || {
        Fault::Error(format!(
            "`{text}` is no address range such as `10.0.0.0/16`"
        ))
    };
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.trim().parse().map_err(|_| wrong())?;
    let prefix: u32 = match prefix {
        Some(prefix) => prefix.trim().parse().map_err(|_| wrong())?,
        None => by_class(address),
    };
    let (address, v6) = match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), false),
        IpAddr::V6(address) => (u128::from(address), true),
    };
    let mut range = Range {
        network: address,
        prefix,
        v6,
    };
    if prefix > range.bits() {
        return Err(wrong());
    }
    range.network = address & !range.span();
    Ok(range)
}

/// The length of a range that does not say it, by the class of its address. That Azure takes
/// `10.0.0.0` for a range of 8 bits and `192.168.1.0` for one of 24 is seen from tests of the Azure
/// Verified Modules, which are deployed (`avm/res/dev-ops-infrastructure/pool/tests/e2e`).
fn by_class(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(address) => match address.octets() {
            [0..128, ..] => 8,
            [128..192, ..] => 16,
            _ => 24,
        },
        IpAddr::V6(_) => 64,
    }
}

fn parse_cidr<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let range = parse(args.as_str(0)?)?;
    let text = |address: u128| args.engine.str(args.span, &range.text(address));
    let all = if range.v6 {
        u128::MAX
    } else {
        u128::from(u32::MAX)
    };
    let mask = all & !range.span();
    let cidr = args.value(Data::Int(i64::from(range.prefix)));
    let fields = if range.v6 {
        vec![
            ("network", text(range.network)),
            ("netmask", text(mask)),
            ("firstUsable", text(range.network)),
            ("lastUsable", text(range.last())),
            ("cidr", cidr),
        ]
    } else {
        // Ranges of one and two addresses have no network and broadcast address of their own.
        let inner = u128::from(range.span() > 1);
        vec![
            ("network", text(range.network)),
            ("netmask", text(mask)),
            ("broadcast", text(range.last())),
            ("firstUsable", text(range.network + inner)),
            ("lastUsable", text(range.last() - inner)),
            ("cidr", cidr),
        ]
    };
    Ok(args.engine.object_of(args.span, &fields))
}

fn cidr_subnet<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let range = parse(args.as_str(0)?)?;
    let (prefix, index) = (args.as_int(1)?, args.as_int(2)?);
    let prefix = u32::try_from(prefix)
        .ok()
        .filter(|new| (range.prefix..=range.bits()).contains(new));
    let Some(prefix) = prefix else {
        return Fault::error(format!(
            "the new length must be from {} to {}",
            range.prefix,
            range.bits()
        ));
    };
    let Ok(index) = u128::try_from(index) else {
        return Fault::error("the index must not be negative");
    };
    let subnet = Range { prefix, ..range };
    let start = index
        .checked_mul(subnet.span().saturating_add(1))
        .and_then(|offset| range.network.checked_add(offset))
        .filter(|start| *start <= range.last());
    match start {
        Some(start) => args.text(&format!("{}/{prefix}", subnet.text(start))),
        None => Fault::error(format!("there is no subnet {index} in the range")),
    }
}

/// Host 0 is the first usable address.
fn cidr_host<'a>(args: &Args<'_, 'a>) -> Outcome<'a> {
    let range = parse(args.as_str(0)?)?;
    let index = args.as_int(1)?;
    let Ok(index) = u128::try_from(index) else {
        return Fault::error("the index must not be negative");
    };
    let (first, last) = if range.span() <= 1 {
        (range.network, range.last())
    } else {
        (
            range.network + 1,
            if range.v6 {
                range.last()
            } else {
                range.last() - 1
            },
        )
    };
    match first.checked_add(index).filter(|address| *address <= last) {
        Some(address) => args.text(&range.text(address)),
        None => Fault::error(format!("there is no host {index} in the range")),
    }
}
