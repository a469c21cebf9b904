//! IP networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dashu_int::ops::Abs;
use dashu_int::{IBig, Sign};
use value::{Number, Type, Value};

use super::ParameterType::{ListOfString, Number as N, String as S};
use super::{Arguments, Failure, FunctionInfo, Reply, at, param, pure};

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure(
        "cidrhost",
        &[param("prefix", S), param("hostnum", N)],
        S,
        cidrhost,
        "Gives the address of a host in a network; a negative number counts from the end.",
    ),
    pure(
        "cidrnetmask",
        &[param("prefix", S)],
        S,
        cidrnetmask,
        "Gives the mask of an IPv4 network.",
    ),
    pure(
        "cidrsubnet",
        &[param("prefix", S), param("newbits", N), param("netnum", N)],
        S,
        cidrsubnet,
        "Gives one subnet of a network.",
    ),
    pure(
        "cidrsubnets",
        &[param("prefix", S)],
        ListOfString,
        cidrsubnets,
        "Gives consecutive subnets of a network.",
    )
    .with_variadic(param("newbits", N)),
];

/// A network: the bits of its address, how many bits an address has, and how many name the network.
#[derive(Clone, Copy)]
struct Network {
    bits: u128,
    size: u32,
    prefix: u32,
}

impl Network {
    fn parse(text: &str) -> Result<Self, Failure> {
        let fault = || at(0, "it is not a network such as `10.0.0.0/16`");
        let (address, prefix) = text.split_once('/').ok_or_else(fault)?;
        let address: IpAddr = without_zeros(address).parse().map_err(|_| fault())?;
        let prefix: u32 = prefix.parse().map_err(|_| fault())?;
        let (bits, size) = match address {
            IpAddr::V4(four) => (u128::from(u32::from(four)), 32),
            IpAddr::V6(six) => (u128::from(six), 128),
        };
        if prefix > size {
            return Err(fault());
        }
        Ok(Self { bits: bits & !host_mask(size - prefix), size, prefix })
    }

    fn address(self) -> String {
        if self.size == 32 {
            Ipv4Addr::from(u32::try_from(self.bits).unwrap_or_default()).to_string()
        } else {
            Ipv6Addr::from(self.bits).to_string()
        }
    }

    fn text(self) -> String {
        format!("{}/{}", self.address(), self.prefix)
    }
}

/// Numbers of an IPv4 address may have zeros in front.
fn without_zeros(address: &str) -> String {
    if address.contains(':') {
        return address.to_owned();
    }
    let trimmed = address.split('.').map(|part| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0",
        rest => rest,
    });
    trimmed.collect::<Vec<_>>().join(".")
}

/// A number whose last `bits` bits are set.
fn host_mask(bits: u32) -> u128 {
    if bits >= 128 { u128::MAX } else { (1 << bits) - 1 }
}

fn whole(number: &Number, argument: usize) -> Result<IBig, Failure> {
    let digits = number.to_digits(10).ok_or_else(|| at(argument, "it must be a whole number"))?;
    let size: IBig = digits.parse().map_err(|_| at(argument, "it must be a whole number"))?;
    Ok(if number.is_negative() { -size } else { size })
}

fn cidrhost(args: &Arguments<'_>) -> Reply {
    let network = Network::parse(args.text(0))?;
    let number = whole(&args.number(1), 1)?;
    let hosts = IBig::from(1) << (network.size - network.prefix) as usize;
    let offset = if number.sign() == Sign::Negative { &hosts + number } else { number };
    let fits = offset.sign() == Sign::Positive && offset < hosts;
    let offset = u128::try_from(&offset).ok().filter(|_| fits);
    let Some(offset) = offset else {
        return Err(at(1, format!("a prefix of {} bits has no such host", network.prefix)));
    };
    Ok(Value::string(Network { bits: network.bits | offset, ..network }.address()))
}

fn cidrnetmask(args: &Arguments<'_>) -> Reply {
    let network = Network::parse(args.text(0))?;
    if network.size != 32 {
        return Err(at(0, "IPv6 networks have no mask in this form"));
    }
    let mask = !host_mask(32 - network.prefix) & host_mask(32);
    Ok(Value::string(Network { bits: mask, ..network }.address()))
}

fn cidrsubnet(args: &Arguments<'_>) -> Reply {
    let network = Network::parse(args.text(0))?;
    let new = whole(&args.number(1), 1)?;
    let number = whole(&args.number(2), 2)?;
    let prefix = u32::try_from(&(IBig::from(network.prefix) + &new)).unwrap_or(u32::MAX);
    if prefix > network.size {
        return Err(at(1, format!("only {} bits are left", network.size - network.prefix)));
    }
    let room = u32::try_from(&new).map(|new| IBig::from(1) << new as usize);
    if room.is_ok_and(|room| number.clone().abs() >= room) {
        return Err(at(2, "the bits do not give so many networks"));
    }
    // Negative numbers are taken as they come: their bits are those of the two's complement, and of the result the
    // sign is dropped.
    let shifted = number << (network.size - prefix) as usize;
    let (_, bits) = (IBig::from(network.bits) | shifted).into_parts();
    let bits = u128::try_from(&bits).unwrap_or(0) & host_mask(network.size);
    Ok(Value::string(Network { bits, prefix, ..network }.text()))
}

fn cidrsubnets(args: &Arguments<'_>) -> Reply {
    let network = Network::parse(args.text(0))?;
    let end = network.bits.checked_add(host_mask(network.size - network.prefix));
    let mut next = Some(network.bits);
    let mut found = Vec::new();
    for index in 1..args.values.len() {
        let new = u32::try_from(&whole(&args.number(index), index)?)
            .ok()
            .filter(|new| (1..=32).contains(new))
            .ok_or_else(|| at(index, "it must be from 1 to 32"))?;
        let prefix = network.prefix.saturating_add(new);
        if prefix > network.size {
            return Err(at(index, format!("only {} bits are left", network.size - network.prefix)));
        }
        let mask = host_mask(network.size - prefix);
        // The next address that such a network can begin at.
        let start = next.and_then(|next| next.checked_add(mask)).map(|up| up & !mask);
        let last = start.and_then(|start| start.checked_add(mask));
        let (Some(bits), Some(last)) = (start, last.filter(|last| Some(*last) <= end)) else {
            return Err(at(index, format!("there is no room left for network {index}")));
        };
        found.push(Value::string(Network { bits, prefix, ..network }.text()));
        next = last.checked_add(1);
    }
    Ok(Value::list(Type::String, found))
}
