//! Addresses of networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use value::{Number, Type, Value};

use super::Kind::{Number as Num, Text};
use super::{Args, Fault, FunctionInfo, Returns, f, fault, p};

pub(super) fn functions() -> Vec<FunctionInfo> {
    vec![
        f(
            "cidrhost",
            &[p("prefix", Text), p("number", Num)],
            Returns::Text,
            "An address within a network, by its number.",
            |a| {
                let network = network(a, 0)?;
                let host_bits = network.width - network.length;
                let number =
                    wide(a.number(1)?).ok_or_else(|| fault(1, "a whole number is required"))?;
                let size = if host_bits >= 127 { i128::MAX } else { 1i128 << host_bits };
                let number = if number < 0 { size + number } else { number };
                if number < 0 || number >= size {
                    return Err(fault(
                        1,
                        format!("the network has room for {size} addresses only"),
                    ));
                }
                Ok(network.address(network.base | number.unsigned_abs()).into())
            },
        ),
        f(
            "cidrnetmask",
            &[p("prefix", Text)],
            Returns::Text,
            "The netmask of an IPv4 network.",
            |a| {
                let network = network(a, 0)?;
                if network.width != 32 {
                    return Err(fault(0, "only IPv4 networks have a netmask"));
                }
                Ok(network.address(mask(32, network.length)).into())
            },
        ),
        f(
            "cidrsubnet",
            &[p("prefix", Text), p("newbits", Num), p("number", Num)],
            Returns::Text,
            "A subnet of a network, by its number.",
            |a| {
                let network = network(a, 0)?;
                let bits = u32::try_from(a.integer(1)?)
                    .map_err(|_| fault(1, "a number from 0 is required"))?;
                let number =
                    wide(a.number(2)?).ok_or_else(|| fault(2, "a whole number is required"))?;
                network
                    .subnet(bits, number)
                    .map_err(|(at, message)| fault(at, message))
                    .map(Value::from)
            },
        ),
        f(
            "cidrsubnets",
            &[p("prefix", Text)],
            Returns::Texts,
            "Subnets of a network that follow each other, by how many bits each adds.",
            cidrsubnets,
        )
        .variadic(p("newbits", Num)),
    ]
}

fn wide(number: &Number) -> Option<i128> {
    number.is_integer().then(|| number.to_string().parse().ok())?
}

struct Network {
    base: u128,
    length: u32,
    width: u32,
}

fn mask(width: u32, length: u32) -> u128 {
    let full = if width == 128 { u128::MAX } else { (1 << width) - 1 };
    let host = width - length;
    if host == 128 { 0 } else { full & !((1u128 << host) - 1) }
}

fn network(args: &Args<'_>, at: usize) -> Result<Network, Fault> {
    let parse = |text: &str| -> Option<Network> {
        let (address, length) = text.split_once('/')?;
        let (base, width) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(v4) => (u128::from(u32::from(v4)), 32),
            IpAddr::V6(v6) => (u128::from(v6), 128),
        };
        let length: u32 = length.parse().ok().filter(|length| *length <= width)?;
        Some(Network { base: base & mask(width, length), length, width })
    };
    parse(args.text(at)?).ok_or_else(|| fault(at, "a network such as `10.0.0.0/16` is required"))
}

impl Network {
    fn address(&self, number: u128) -> String {
        match u32::try_from(number) {
            Ok(v4) if self.width == 32 => Ipv4Addr::from(v4).to_string(),
            _ => Ipv6Addr::from(number).to_string(),
        }
    }

    fn subnet(&self, bits: u32, number: i128) -> Result<String, (usize, String)> {
        let length = self.length + bits;
        if length > self.width {
            return Err((1, format!("only {} bits are left", self.width - self.length)));
        }
        let count = if bits >= 127 { i128::MAX } else { 1i128 << bits };
        let number = if number < 0 { count + number } else { number };
        if number < 0 || number >= count {
            return Err((2, format!("{bits} more bits make {count} subnets only")));
        }
        let shift = self.width - length;
        let offset = if shift >= 128 { 0 } else { number.unsigned_abs() << shift };
        Ok(format!("{}/{length}", self.address(self.base | offset)))
    }
}

fn cidrsubnets(args: &Args<'_>) -> Result<Value, Fault> {
    let network = network(args, 0)?;
    let mut next = network.base;
    let mut found = Vec::new();
    let end =
        network.base | !mask(network.width, network.length) & mask(network.width, network.width);
    for at in 1..args.values.len() {
        let bits = u32::try_from(args.integer(at)?)
            .map_err(|_| fault(at, "a number from 1 is required"))?;
        let length = network.length + bits;
        if bits == 0 || length > network.width {
            return Err(fault(
                at,
                format!("from 1 to {} bits can be added", network.width - network.length),
            ));
        }
        let size = 1u128 << (network.width - length).min(127);
        let start = next.div_ceil(size) * size;
        if start > end || start + (size - 1) > end {
            return Err(fault(at, "the network has no room left"));
        }
        found.push(Value::from(format!("{}/{length}", network.address(start))));
        next = start + size;
    }
    Ok(Value::list(Type::String, found))
}
