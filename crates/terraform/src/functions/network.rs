//! Functions on address ranges.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Args;
use crate::engine::{Engine, Eval, Fault};
use crate::value::{Seq, Val};

/// A range: its first address as a number, how many bits it fixes, of how many.
#[derive(Clone, Copy)]
struct Range {
    base: u128,
    fixed: u32,
    width: u32,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (address, fixed) = text.split_once('/')?;
        let fixed: u32 = fixed.parse().ok()?;
        let (base, width) = match address.parse().ok()? {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        (fixed <= width).then(|| {
            let range = Self { base, fixed, width };
            Self {
                base: base & !range.host_mask(),
                ..range
            }
        })
    }

    fn host_mask(self) -> u128 {
        match self.width - self.fixed {
            0 => 0,
            128 => u128::MAX,
            bits => (1 << bits) - 1,
        }
    }

    fn address(self, number: u128) -> String {
        if self.width == 32 {
            Ipv4Addr::from(u32::try_from(number).unwrap_or_default()).to_string()
        } else {
            Ipv6Addr::from(number).to_string()
        }
    }

    fn subnet(self, more: u32, number: u128) -> Option<Self> {
        let fixed = self.fixed.checked_add(more)?;
        if fixed > self.width || (more < 128 && number >> more != 0) {
            return None;
        }
        let shift = self.width - fixed;
        let offset = if shift >= 128 { 0 } else { number << shift };
        Some(Self {
            base: self.base | offset,
            fixed,
            ..self
        })
    }

    fn text(self) -> String {
        format!("{}/{}", self.address(self.base), self.fixed)
    }

    fn last(self) -> u128 {
        self.base | self.host_mask()
    }
}

impl<'a> Engine<'a, '_> {
    pub(super) fn network(&mut self, call: &Args<'_, 'a>) -> Option<Eval<'a>> {
        let result = match call.name {
            "cidrsubnet" => self.cidr_subnet(call),
            "cidrsubnets" => self.cidr_subnets(call),
            "cidrhost" => self.cidr_host(call),
            "cidrnetmask" => self.cidr_netmask(call),
            "cidrcontains" => self.cidr_contains(call),
            _ => return None,
        };
        Some(result)
    }

    fn range_arg(&self, call: &Args<'_, 'a>, at: usize) -> Result<Range, Fault<'a>> {
        let text = self.string_arg(call, at)?;
        Range::parse(text)
            .ok_or_else(|| self.fault(call.span, format!("`{text}` is no address range")))
    }

    fn bits_arg(&self, call: &Args<'_, 'a>, at: usize) -> Result<u32, Fault<'a>> {
        u32::try_from(self.int_arg(call, at)?)
            .map_err(|_| self.fault(call.span, "a number of bits is not negative"))
    }

    fn cidr_subnet(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let range = self.range_arg(call, 0)?;
        let bits = self.bits_arg(call, 1)?;
        let number = u128::try_from(self.int_arg(call, 2)?)
            .map_err(|_| self.fault(call.span, "the number of a subnet is not negative"))?;
        match range.subnet(bits, number) {
            Some(subnet) => Ok(self.str(call.span, &subnet.text())),
            None => Err(self.fault(call.span, "there is no such subnet in this range")),
        }
    }

    /// Allocates one after the other, each at the next multiple of its size.
    fn cidr_subnets(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let range = self.range_arg(call, 0)?;
        let mut next = range.base;
        let mut made: Vec<Val<'a>> = Vec::new();
        for at in 1..call.args.len() {
            let fixed = range.fixed.saturating_add(self.bits_arg(call, at)?);
            if fixed > range.width {
                return Err(self.fault(call.span, "there is no room for these subnets"));
            }
            let subnet = Range {
                base: next,
                fixed,
                ..range
            };
            let mask = subnet.host_mask();
            let base = match next & mask {
                0 => Some(next),
                _ => (next | mask).checked_add(1),
            };
            let placed = base.map(|base| Range { base, ..subnet });
            let Some(placed) = placed.filter(|placed| placed.last() <= range.last()) else {
                return Err(self.fault(call.span, "there is no room for these subnets"));
            };
            made.push(self.str(call.span, &placed.text()));
            next = placed.last().saturating_add(1);
        }
        Ok(self.seq(Seq::List, made, call.span))
    }

    fn cidr_host(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let range = self.range_arg(call, 0)?;
        let number = self.int_arg(call, 1)?;
        let size = range.host_mask();
        // A negative number counts from the end.
        let host = if number >= 0 {
            Some(number.unsigned_abs().into()).filter(|host| *host <= size)
        } else {
            size.checked_sub(u128::from(number.unsigned_abs()) - 1)
        };
        match host {
            Some(host) => Ok(self.str(call.span, &range.address(range.base | host))),
            None => Err(self.fault(call.span, "there is no such address in this range")),
        }
    }

    fn cidr_netmask(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let range = self.range_arg(call, 0)?;
        if range.width != 32 {
            return Err(self.fault(call.span, "only IPv4 ranges have a netmask"));
        }
        let mask = u128::from(u32::MAX) & !range.host_mask();
        Ok(self.str(call.span, &range.address(mask)))
    }

    fn cidr_contains(&self, call: &Args<'_, 'a>) -> Eval<'a> {
        let range = self.range_arg(call, 0)?;
        let text = self.string_arg(call, 1)?;
        let inner = Range::parse(text).or_else(|| {
            let width = if text.contains(':') { 128 } else { 32 };
            Range::parse(&format!("{text}/{width}"))
        });
        match inner {
            Some(inner) => Ok(Val::bool(
                call.span,
                inner.width == range.width
                    && inner.base >= range.base
                    && inner.last() <= range.last(),
            )),
            None => Err(self.fault(call.span, format!("`{text}` is no address"))),
        }
    }
}
