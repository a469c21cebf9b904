//! Who has been promised which part of the machine. One file for all stacks, changed under a lock.

use std::collections::{BTreeMap, BTreeSet};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::discovery::Machine;
use crate::error::LocalError;
use crate::files;
use crate::home::Home;

/// What one object has been promised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Promise {
    pub(crate) holder: String,
    pub(crate) vcpus: u64,
    pub(crate) memory_mib: u64,
    pub(crate) disk_gib: u64,
    pub(crate) gpus: Vec<String>,
    pub(crate) ports: Vec<u16>,
}

/// What an object asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) holder: String,
    pub(crate) vcpus: u64,
    pub(crate) memory_mib: u64,
    pub(crate) disk_gib: u64,
    pub(crate) gpus: u64,
    pub(crate) ports: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Ledger {
    format: u32,
    promises: BTreeMap<String, Promise>,
}

/// Ports that fabrics get, below those that systems hand out by themselves.
const PORTS: std::ops::RangeInclusive<u16> = 21_000..=23_999;

/// Promises parts to the object `id`. What it holds already is given up in the same step, so that a repeated
/// call promises nothing twice, and a changed one frees nothing to others in between.
pub(crate) fn reserve(
    home: &Home,
    machine: &Machine,
    id: &str,
    request: &Request,
) -> Result<Promise, LocalError> {
    change(home, |ledger| {
        let prior = ledger.promises.get(id).cloned().unwrap_or_default();
        let others: Vec<(&String, &Promise)> =
            ledger.promises.iter().filter(|(other, _)| *other != id).collect();
        let promise = decide(machine, &others, &prior, request)?;
        ledger.promises.insert(id.to_owned(), promise.clone());
        Ok(promise)
    })
}

/// Gives up what an object holds; nothing is fine.
pub(crate) fn release(home: &Home, id: &str) -> Result<(), LocalError> {
    change(home, |ledger| {
        ledger.promises.remove(id);
        Ok(())
    })
}

/// What an object holds.
pub(crate) fn held(home: &Home, id: &str) -> Result<Option<Promise>, LocalError> {
    let ledger: Ledger = files::read_record(&home.root.join("ledger.json"))?.unwrap_or_default();
    Ok(ledger.promises.get(id).cloned())
}

fn change<T>(
    home: &Home,
    edit: impl FnOnce(&mut Ledger) -> Result<T, LocalError>,
) -> Result<T, LocalError> {
    files::create_folder(&home.root)?;
    let lock_path = home.root.join("ledger.lock");
    let lock = files::open_lock(&lock_path)?;
    flock(&lock, FlockOperation::LockExclusive)
        .map_err(|error| LocalError::file("lock", &lock_path)(error.into()))?;
    let path = home.root.join("ledger.json");
    let mut ledger: Ledger = files::read_record(&path)?.unwrap_or_default();
    ledger.format = 1;
    let result = edit(&mut ledger)?;
    files::write_record(&path, &ledger)?;
    Ok(result)
}

fn decide(
    machine: &Machine,
    others: &[(&String, &Promise)],
    prior: &Promise,
    request: &Request,
) -> Result<Promise, LocalError> {
    let taken =
        |part: fn(&Promise) -> u64| others.iter().map(|(_, promise)| part(promise)).sum::<u64>();
    let holders = holders(others);
    let check = |resource, unit, wanted: u64, total: u64, taken: u64| {
        let free = total.saturating_sub(taken);
        if wanted <= free {
            return Ok(());
        }
        let amount = |count: u64| format!("{count}{unit}");
        Err(LocalError::NotEnough {
            resource,
            wanted: amount(wanted),
            free: amount(free),
            total: amount(total),
            missing: amount(wanted - free),
            holders: holders.clone(),
        })
    };
    check("vCPUs", "", request.vcpus, machine.vcpus, taken(|p| p.vcpus))?;
    check("memory", " MiB", request.memory_mib, machine.memory_mib, taken(|p| p.memory_mib))?;
    check("disk", " GiB", request.disk_gib, machine.disk_free_gib, taken(|p| p.disk_gib))?;
    let promised: BTreeSet<&String> =
        others.iter().flat_map(|(_, promise)| &promise.gpus).collect();
    let free: Vec<&String> =
        machine.gpus.iter().map(|gpu| &gpu.uuid).filter(|uuid| !promised.contains(uuid)).collect();
    check(
        "GPUs",
        "",
        request.gpus,
        machine.gpus.len() as u64,
        (machine.gpus.len() - free.len()) as u64,
    )?;
    Ok(Promise {
        holder: request.holder.clone(),
        vcpus: request.vcpus,
        memory_mib: request.memory_mib,
        disk_gib: request.disk_gib,
        gpus: free
            .into_iter()
            .take(usize::try_from(request.gpus).unwrap_or(usize::MAX))
            .cloned()
            .collect(),
        ports: choose_ports(others, prior, request.ports)?,
    })
}

/// Ports held already stay; more are those that nobody was promised and nobody listens on.
fn choose_ports(
    others: &[(&String, &Promise)],
    prior: &Promise,
    count: u64,
) -> Result<Vec<u16>, LocalError> {
    let promised: BTreeSet<u16> =
        others.iter().flat_map(|(_, promise)| promise.ports.iter().copied()).collect();
    let fresh = PORTS
        .filter(|port| !promised.contains(port) && !prior.ports.contains(port) && is_free(*port));
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let ports: Vec<u16> = prior.ports.iter().copied().chain(fresh).take(count).collect();
    if ports.len() < count {
        return Err(LocalError::NoFreePort { first: *PORTS.start(), last: *PORTS.end() });
    }
    Ok(ports)
}

/// Whether nobody listens on a port of the loopback address.
pub(crate) fn is_free(port: u16) -> bool {
    std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn holders(others: &[(&String, &Promise)]) -> String {
    if others.is_empty() {
        return "nothing is promised to anybody else; ask for less".to_owned();
    }
    let names: Vec<String> =
        others.iter().map(|(id, promise)| format!("`{}` ({id})", promise.holder)).collect();
    format!("ask for less, or destroy one that holds the rest: {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::Gpu;

    fn machine() -> Machine {
        let gpu = |uuid: &str| Gpu { uuid: uuid.to_owned(), model: "X".to_owned(), memory_mib: 1 };
        Machine { vcpus: 4, memory_mib: 1000, disk_free_gib: 10, gpus: vec![gpu("a"), gpu("b")] }
    }

    fn ask(vcpus: u64, memory_mib: u64, gpus: u64) -> Request {
        Request { holder: "pool".to_owned(), vcpus, memory_mib, gpus, ..Request::default() }
    }

    #[test]
    fn nothing_is_promised_twice_and_the_error_says_what_is_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home { root: folder.path().to_owned() };
        let machine = machine();
        let first = reserve(&home, &machine, "pool-1", &ask(3, 600, 1)).expect("fits");
        assert_eq!(first.gpus, ["a"]);
        assert_eq!(
            reserve(&home, &machine, "pool-1", &ask(3, 600, 1)).expect("the same again"),
            first
        );
        let table = [
            (ask(2, 1, 0), "not enough vCPUs: 2 wanted, 1 free of 4, 1 missing"),
            (
                ask(1, 500, 0),
                "not enough memory: 500 MiB wanted, 400 MiB free of 1000 MiB, 100 MiB missing",
            ),
            (ask(1, 1, 2), "not enough GPUs: 2 wanted, 1 free of 2, 1 missing"),
        ];
        for (request, message) in table {
            let error = reserve(&home, &machine, "pool-2", &request).expect_err("does not fit");
            assert_eq!(error.to_string(), message);
        }
        assert_eq!(
            reserve(&home, &machine, "pool-2", &ask(1, 400, 1)).expect("the rest").gpus,
            ["b"]
        );
        release(&home, "pool-1").expect("released");
        reserve(&home, &machine, "pool-2", &ask(4, 1000, 2))
            .expect("a promise can grow into what is free");
        assert_eq!(held(&home, "pool-1").expect("read"), None);
    }
}
