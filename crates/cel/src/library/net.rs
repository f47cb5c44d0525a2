//! Kubernetes' `ip` and `cidr` libraries: Go's `net/netip` without zones and without IPv4
//! addresses written as IPv6.

use super::{Call, Given};
use crate::functions::Func;
use crate::{Cidr, Node, Val};
use std::net::IpAddr;

pub(crate) fn call<'a, N: Node<'a>>(
    c: Call<'_, 'a, N>,
    func: Func,
    args: &[Val<'a, N>],
) -> Given<'a, N> {
    Some(match (func, args) {
        (Func::Ip, [Val::Str(s)]) => ip(c, s),
        (Func::IsIp, [Val::Str(s)]) => Val::Bool(parse_ip(s).is_some()),
        (Func::IpIsCanonical, [Val::Str(s)]) => match parse_ip(s) {
            Some(ip) => Val::Bool(ip.to_string() == *s),
            None => bad_ip(c, s),
        },
        (Func::Family, [Val::Ip(ip)]) => Val::Int(if ip.is_ipv4() { 4 } else { 6 }),
        (Func::IsUnspecified, [Val::Ip(ip)]) => Val::Bool(ip.is_unspecified()),
        (Func::IsLoopback, [Val::Ip(ip)]) => Val::Bool(ip.is_loopback()),
        (Func::IsLinkLocalMulticast, [Val::Ip(ip)]) => Val::Bool(match ip {
            IpAddr::V4(a) => matches!(a.octets(), [224, 0, 0, _]),
            IpAddr::V6(a) => a.segments().first().is_some_and(|s| s & 0xff0f == 0xff02),
        }),
        (Func::IsLinkLocalUnicast, [Val::Ip(ip)]) => Val::Bool(link_local(ip)),
        (Func::IsGlobalUnicast, [Val::Ip(ip)]) => {
            let broadcast = matches!(ip, IpAddr::V4(a) if a.is_broadcast());
            Val::Bool(
                !(broadcast
                    || ip.is_unspecified()
                    || ip.is_loopback()
                    || ip.is_multicast()
                    || link_local(ip)),
            )
        }
        (Func::Cidr, [Val::Str(s)]) => cidr(c, s),
        (Func::IsCidr, [Val::Str(s)]) => Val::Bool(parse_cidr(s).is_some()),
        (Func::ContainsIp, [Val::Cidr(range), Val::Ip(ip)]) => Val::Bool(contains(range, **ip)),
        (Func::ContainsIp, [Val::Cidr(range), Val::Str(s)]) => match parse_ip(s) {
            Some(ip) => Val::Bool(contains(range, ip)),
            None => bad_ip(c, s),
        },
        (Func::ContainsCidr, [Val::Cidr(range), Val::Cidr(other)]) => {
            Val::Bool(covers(range, other))
        }
        (Func::ContainsCidr, [Val::Cidr(range), Val::Str(s)]) => match parse_cidr(s) {
            Some(other) => Val::Bool(covers(range, &other)),
            None => bad_cidr(c, s),
        },
        (Func::CidrIp | Func::Ip, [Val::Cidr(range)]) => {
            Val::Ip(c.machine.bump.alloc(range.address))
        }
        (Func::PrefixLength, [Val::Cidr(range)]) => Val::Int(i64::from(range.prefix)),
        (Func::Masked, [Val::Cidr(range)]) => {
            let address = masked(range.address, range.prefix);
            Val::Cidr(c.machine.bump.alloc(Cidr {
                address,
                prefix: range.prefix,
            }))
        }
        _ => return None,
    })
}

fn ip<'a, N: Node<'a>>(c: Call<'_, 'a, N>, s: &str) -> Val<'a, N> {
    match parse_ip(s) {
        Some(ip) => Val::Ip(c.machine.bump.alloc(ip)),
        None => bad_ip(c, s),
    }
}

fn cidr<'a, N: Node<'a>>(c: Call<'_, 'a, N>, s: &str) -> Val<'a, N> {
    match parse_cidr(s) {
        Some(cidr) => Val::Cidr(c.machine.bump.alloc(cidr)),
        None => bad_cidr(c, s),
    }
}

fn bad_ip<'a, N: Node<'a>>(c: Call<'_, 'a, N>, s: &str) -> Val<'a, N> {
    c.fail(&format!("`{s}` is no IP address"))
}

fn bad_cidr<'a, N: Node<'a>>(c: Call<'_, 'a, N>, s: &str) -> Val<'a, N> {
    c.fail(&format!("`{s}` is no address range in CIDR notation"))
}

fn parse_ip(s: &str) -> Option<IpAddr> {
    let ip: IpAddr = s.parse().ok()?;
    match ip {
        IpAddr::V6(a) if a.to_ipv4_mapped().is_some() => None,
        _ => Some(ip),
    }
}

fn parse_cidr(s: &str) -> Option<Cidr> {
    let (address, prefix) = s.rsplit_once('/')?;
    let address = parse_ip(address)?;
    let plain =
        prefix.bytes().all(|b| b.is_ascii_digit()) && (prefix == "0" || !prefix.starts_with('0'));
    let prefix: u8 = prefix.parse().ok().filter(|_| plain)?;
    (prefix <= if address.is_ipv4() { 32 } else { 128 }).then_some(Cidr { address, prefix })
}

fn link_local(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(a) => a.is_link_local(),
        IpAddr::V6(a) => a.is_unicast_link_local(),
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(a) => {
            let mask = u32::MAX
                .checked_shl(32 - u32::from(prefix.min(32)))
                .unwrap_or(0);
            IpAddr::V4((a.to_bits() & mask).into())
        }
        IpAddr::V6(a) => {
            let mask = u128::MAX
                .checked_shl(128 - u32::from(prefix.min(128)))
                .unwrap_or(0);
            IpAddr::V6((a.to_bits() & mask).into())
        }
    }
}

fn contains(range: &Cidr, ip: IpAddr) -> bool {
    range.address.is_ipv4() == ip.is_ipv4()
        && masked(range.address, range.prefix) == masked(ip, range.prefix)
}

fn covers(range: &Cidr, other: &Cidr) -> bool {
    range.prefix <= other.prefix && contains(range, other.address)
}
