//! Whatever a table holds, the reader answers: with a catalog, or with an error that names the line.
#![allow(missing_docs, reason = "a test binary")]

use stratiform_catalog as catalog;

use catalog::offer::offers;
use catalog::{Catalog, Filter, Unit, UsdPerHour, sanity};

/// Small numbers from a seed; every seed can be run again by itself.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(most.max(1)).expect("a small number"))
            .expect("a small number")
    }
}

/// What people and programs put where something else belongs.
const ODD: [&str; 22] = [
    "",
    "-",
    "*",
    "0",
    "-1",
    "1e400",
    "99999999999999999999999",
    "0.0000001",
    "NaN",
    "\u{0}",
    "é",
    "\u{202e}",
    "\t",
    "\t\t",
    "\n",
    "\r\n",
    "# stratiform-catalog 1 prices aws",
    "# stratiform-catalog 2 chips",
    "#",
    "us-east-1:",
    "* !",
    "2026-02-31",
];

fn changed(text: &str, dice: &mut Dice) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=dice.below(4) {
        if lines.is_empty() {
            break;
        }
        let at = dice.below(lines.len());
        match dice.below(7) {
            0 => drop(lines.remove(at)),
            1 => {
                let line = lines[dice.below(lines.len())].clone();
                lines.insert(at, line);
            }
            2 => {
                let to = dice.below(lines.len());
                lines.swap(at, to);
            }
            3 => lines.truncate(at),
            4 => {
                let cut = lines[at].char_indices().map(|(place, _)| place).collect::<Vec<_>>();
                let place = cut.get(dice.below(cut.len())).copied().unwrap_or(0);
                lines[at].insert_str(place, ODD[dice.below(ODD.len())]);
            }
            _ => {
                let mut cells: Vec<String> = lines[at].split('\t').map(str::to_owned).collect();
                let cell = dice.below(cells.len());
                ODD[dice.below(ODD.len())].clone_into(&mut cells[cell]);
                lines[at] = cells.join("\t");
            }
        }
    }
    lines.join("\n")
}

#[test]
fn damaged_tables_are_read_or_refused_and_never_worse() {
    let whole: Vec<(&str, &str)> = modules::files()
        .iter()
        .filter(|(name, _)| name.ends_with(".tsv"))
        .map(|(name, bytes)| (*name, std::str::from_utf8(bytes).expect("tables are text")))
        .collect();
    // The first lines of each, so that thousands of them can be tried.
    let short: Vec<(&str, String)> = whole
        .iter()
        .map(|(name, text)| (*name, text.lines().take(24).collect::<Vec<_>>().join("\n")))
        .collect();
    let sources = whole.iter().find(|(name, _)| name.ends_with("sources.tsv")).expect("sources");
    let (mut read, mut refused) = (0, 0);
    for seed in 1..=4000_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (name, text) = &short[dice.below(short.len())];
        let text = changed(text, &mut dice);
        match Catalog::read([*sources, (name, &text)]) {
            Ok(catalog) => {
                read += 1;
                let _ = sanity(&catalog);
                let filter = Filter { max_price: Some(UsdPerHour(u64::MAX)), ..Filter::default() };
                for offer in offers(&catalog, &filter) {
                    let _ = (offer.name(), offer.usd_per_chip_hour());
                }
                let _ = catalog.stale(i64::MAX, 0);
                for (backend, service) in catalog.rates.keys() {
                    let _ = catalog.rate(backend, service, "us-east-1", Unit::Hour);
                }
            }
            Err(error) => {
                refused += 1;
                let place = error.to_string();
                assert!(place.contains(name) || place.contains(sources.0), "seed {seed}: {place}");
            }
        }
    }
    // Both happen, or the changes are none.
    assert!(read > 200 && refused > 200, "{read} read, {refused} refused");
}
