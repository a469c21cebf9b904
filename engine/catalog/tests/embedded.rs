//! The catalog that the binary carries: traps that its sources hold, and what must hold for all of it.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test binary")]

use stratiform_catalog as catalog;

use catalog::fact::days_of;
use catalog::offer::{offers, same_chip};
use catalog::{Catalog, CatalogError, Filter, Purchase, UsdPerHour, sanity};
use proptest::prelude::*;

fn files() -> Vec<(&'static str, &'static str)> {
    let tables = modules::files().iter().filter(|(name, _)| name.ends_with(".tsv"));
    tables.map(|(name, bytes)| (*name, std::str::from_utf8(bytes).unwrap())).collect()
}

fn catalog() -> Catalog {
    Catalog::read(files()).unwrap()
}

fn fault(text: &str) -> CatalogError {
    catalog().overlay("mine.tsv", text).unwrap_err()
}

#[test]
fn every_source_has_a_licence_that_allows_it() {
    let allowed = ["Apache-2.0", "MIT", "MPL-2.0", "facts"];
    for source in catalog().sources.values() {
        assert!(allowed.contains(&&*source.licence), "{}: {}", source.id, source.licence);
        assert!(!source.title.to_lowercase().contains("skypilot"), "has no licence");
    }
}

#[test]
fn the_catalog_does_not_contradict_itself() {
    assert_eq!(sanity(&catalog()), Vec::<String>::new());
}

#[test]
fn families_of_each_backend_are_there() {
    let catalog = catalog();
    let machines = [
        ("aws", "p4d.24xlarge", "A100-40GB", 8.0, Some(4)),
        ("aws", "p5.48xlarge", "H100", 8.0, Some(32)),
        ("aws", "p5en.48xlarge", "H200", 8.0, Some(16)),
        ("aws", "trn1.32xlarge", "Trainium", 16.0, Some(8)),
        ("aws", "trn2.48xlarge", "Trainium2", 16.0, Some(16)),
        ("aws", "inf2.48xlarge", "Inferentia2", 12.0, Some(0)),
        ("azure", "Standard_ND96isr_H100_v5", "H100", 8.0, Some(8)),
        ("azure", "Standard_ND96isr_H200_v5", "H200", 8.0, Some(8)),
        ("azure", "Standard_ND128isr_GB300_v6", "GB300", 4.0, Some(4)),
        ("google", "a2-highgpu-8g", "A100-40GB", 8.0, None),
        ("google", "a3-megagpu-8g", "H100", 8.0, None),
        ("google", "a4-highgpu-8g", "B200", 8.0, None),
        ("google", "ct5p-hightpu-4t", "TPU-v5p", 4.0, None),
        ("oracle", "BM.GPU.H100.8", "H100", 8.0, None),
        ("lambda", "gpu_8x_h100_sxm5", "H100", 8.0, None),
    ];
    for (backend, name, chip, chips, interfaces) in machines {
        let machine = catalog.machine(backend, name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(machine.chip.as_deref(), Some(chip), "{name}");
        assert!((machine.chips - chips).abs() < f64::EPSILON, "{name}: {}", machine.chips);
        assert_eq!(machine.fabric_interfaces, interfaces, "{name}");
    }
}

#[test]
fn statements_that_are_out_of_date_are_not_in_it() {
    let catalog = catalog();
    let p5 = catalog.price("aws", "p5.48xlarge", "us-east-1", Purchase::OnDemand).unwrap();
    assert_eq!(p5.low, UsdPerHour(55_040_000), "$6.88 for each H100, not $9.80");
    assert_eq!(catalog.tpus["TPU-v5p"].max_chips, 6144, "the largest job, not the pod of 8,960");
    assert_eq!(catalog.limit("aws", "ebs.gp3", "max_iops"), Some(80_000.0), "not 16,000");
    assert_eq!(catalog.limit("aws", "ebs.gp3", "max_mib_per_s"), Some(2_000.0), "not 1,000");
    assert!(catalog.machine("azure", "Standard_ND128isr_GB300_v5").is_none(), "GB300 is v6");
    let ended = |backend: &str, name: &str| catalog.endings[&(backend.into(), name.into())].clone();
    assert_eq!(ended("aws", "elastic-inference").retires_at.as_deref(), Some("2023-04-15"));
    assert_eq!(ended("google", "palm").retires_at.as_deref(), Some("2025-04-09"));
}

#[test]
fn traps_of_the_sources_are_avoided() {
    let catalog = catalog();
    // The EC2 API says 512 GiB for each device.
    assert_eq!(catalog.chips["Trainium2"].memory_mib, Some(96 * 1024));
    assert_eq!(catalog.machine("aws", "trn2.48xlarge").unwrap().chip_memory_mib, Some(98_304));
    // It says count 0 for a share of a GPU; other tools count a whole one.
    let share = catalog.machine("aws", "g6f.large").unwrap();
    assert!((share.chips - 0.125).abs() < 1e-9, "{}", share.chips);
    assert_eq!(share.chip_memory_mib, Some(2861));
    // Memory is MiB as reported, not the decimal GB of a data sheet.
    assert_eq!(catalog.chips["H200"].memory_mib, Some(144_384));
    assert_eq!(catalog.chips["L4"].memory_mib, Some(22_888));
    // A newer chip may be cheaper; nothing may assume otherwise.
    let price =
        |name: &str| catalog.price("azure", name, "eastus", Purchase::OnDemand).unwrap().low;
    assert!(price("Standard_ND96isr_H200_v5") < price("Standard_ND96isr_H100_v5"));
    // The spot history that moto makes up is not in it.
    let made_up = |price: &catalog::Price| price.low < UsdPerHour(1_000);
    assert!(!catalog.prices.values().flatten().any(made_up));
    // 3,200 Gbit/s, not 3,200 GB/s.
    assert_eq!(catalog.machine("aws", "p5.48xlarge").unwrap().network_gbps, Some(3200.0));
}

#[test]
fn a_price_is_no_offer() {
    let text = "# stratiform-catalog 1 prices google\n\
        type\tregion\tpurchase\tusd_per_hour_low\tusd_per_hour_high\tsource\n\
        a3-highgpu-8g\tafrica-south1\ton_demand\t10\t10\tgoogle-costs\n";
    let catalog = catalog().overlay("mine.tsv", text).unwrap();
    let filter = Filter { machine: Some("a3-highgpu-8g".into()), ..Filter::default() };
    let regions: Vec<String> =
        offers(&catalog, &filter).iter().map(|offer| offer.place.clone().unwrap().region).collect();
    assert!(!regions.iter().any(|region| region == "africa-south1"), "{regions:?}");
}

#[test]
fn offers_come_cheapest_first_and_unknown_prices_last() {
    let catalog = catalog();
    let filter = Filter { chip: Some("h100".into()), ..Filter::default() };
    let found = offers(&catalog, &filter);
    assert_eq!(found[0].name(), "p5.4xlarge/us-east-1/on_demand");
    let first_unknown = found.iter().position(|offer| offer.price.is_none()).unwrap();
    assert!(found[first_unknown..].iter().all(|offer| offer.price.is_none()));
    let eight = found.iter().filter(|offer| offer.machine.chips >= 8.0 && offer.price.is_some());
    let names: Vec<&str> = eight.map(|offer| &*offer.machine.backend).collect();
    assert_eq!(names[0], "lambda", "3.99 for each is the lowest: {names:?}");
    let p5 = found.iter().find(|offer| offer.name() == "p5.48xlarge/us-east-1/on_demand").unwrap();
    assert_eq!(p5.usd_per_chip_hour(), Some(UsdPerHour(6_880_000)));
    let limited = Filter { max_price: Some(UsdPerHour(7_000_000)), ..filter };
    assert_eq!(offers(&catalog, &limited).len(), 1, "an unknown price is below no limit");
}

#[test]
fn p5_is_sold_where_the_api_says() {
    let places = catalog().places("aws", "p5.48xlarge").unwrap();
    assert_eq!(places.len(), 13);
    let home = places.iter().find(|place| place.region == "us-east-1").unwrap();
    assert_eq!(home.zones, "abcdef");
    assert!(catalog().places("aws", "no-such-type").is_none());
    assert_eq!(catalog().nearest_machine("aws", "p5.48xlargee"), Some("p5.48xlarge"));
}

#[test]
fn users_replace_prices_and_add_whole_backends() {
    let text = "# stratiform-catalog 1 sources\n\
        id\ttitle\turl\tlicence\tdate\n\
        contract\tOur contract\tinternal\tprivate\t2026-11-01\n\
        # stratiform-catalog 1 prices aws\n\
        type\tregion\tpurchase\tusd_per_hour_low\tusd_per_hour_high\tsource\n\
        p5.48xlarge\tus-east-1\ton_demand\t30\t30\tcontract\n\
        # stratiform-catalog 1 types hall7\n\
        name\tchip\tchips\tvcpus\tmemory_mib\tpurchase\tsource\n\
        rack\tH100\t8\t128\t1048576\ton_demand\tcontract\n";
    let mine = catalog().overlay("mine.tsv", text).unwrap();
    let price = mine.price("aws", "p5.48xlarge", "us-east-1", Purchase::OnDemand).unwrap();
    assert_eq!((price.low, &*price.source), (UsdPerHour(30_000_000), "contract"));
    let filter = Filter { backend: Some("hall7".into()), ..Filter::default() };
    let found = offers(&mine, &filter);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].name(), found[0].price), ("rack/*/on_demand".to_owned(), None));
}

#[test]
fn what_contradicts_itself_is_named() {
    let text = "# stratiform-catalog 1 prices aws\n\
        type\tregion\tpurchase\tusd_per_hour_low\tusd_per_hour_high\tsource\n\
        p5.48xlarge\tus-east-1\tspot\t60\t60\tkarpenter-aws\n\
        g6.48xlarge\tus-east-1\ton_demand\t1335\t1335\tkarpenter-aws\n\
        # stratiform-catalog 1 types aws\n\
        name\tchip\tchips\tchip_memory_mib\tsource\n\
        odd.large\tH100\t8\t655360\tmoto-5.2.5\n\
        odder.large\tH900\t8\t655360\tmoto-5.2.5\n";
    let found = sanity(&catalog().overlay("mine.tsv", text).unwrap()).join("\n");
    for part in
        ["60.00 as spot, but only 55.04", "`aws/g6.48xlarge` costs 166.88", "655360 MiB", "`H900`"]
    {
        assert!(found.contains(part), "{part} in {found}");
    }
}

#[test]
fn faults_of_tables_name_the_line_and_what_is_expected() {
    let prices = "# stratiform-catalog 1 prices aws\n\
        type\tregion\tpurchase\tusd_per_hour_low\tusd_per_hour_high\tsource\n";
    let table = [
        ("no table", "type,region\n".to_owned(), "line 1: a table begins with"),
        ("empty", String::new(), "line 1: a table begins with"),
        ("newer", "# stratiform-catalog 2 prices aws\n".to_owned(), "format 2 of the catalog"),
        ("kind", "# stratiform-catalog 1 price aws\n".to_owned(), "`price` is not a kind"),
        ("cells", format!("{prices}p5.48xlarge us-east-1\n"), "6 cells are expected, 1 are there"),
        (
            "negative",
            format!("{prices}x\t*\tspot\t-1\t1\tmoto-5.2.5\n"),
            "`usd_per_hour_low` is `-1`",
        ),
        ("order", format!("{prices}x\t*\tspot\t2\t1\tmoto-5.2.5\n"), "no less than the low price"),
        ("purchase", format!("{prices}x\t*\tgift\t1\t1\tmoto-5.2.5\n"), "`purchase` is `gift`"),
        (
            "source",
            format!("{prices}x\t*\tspot\t1\t1\tnobody\n"),
            "source `nobody` is not described",
        ),
        (
            "twice",
            format!("{prices}x\t*\tspot\t1\t1\tmoto-5.2.5\nx\t*\tspot\t2\t2\tmoto-5.2.5\n"),
            "given twice, first in line 3",
        ),
        (
            "column",
            "# stratiform-catalog 1 prices aws\ntype\tpurchase\nx\tspot\n".to_owned(),
            "column `usd_per_hour_low` is missing",
        ),
    ];
    for (case, text, expected) in table {
        let found = fault(&text).to_string();
        assert!(found.contains(expected), "{case}: {found}");
    }
}

#[test]
fn dates_become_days_and_old_sources_are_found() {
    for (date, days) in
        [("1970-01-01", Some(0)), ("2000-03-01", Some(11_017)), ("2026-08-22", Some(20_687))]
    {
        assert_eq!(days_of(date), days, "{date}");
    }
    for wrong in ["2026-8-22", "2026-13-01", "yesterday", "2026-08-22-01", ""] {
        assert_eq!(days_of(wrong), None, "{wrong}");
    }
    let catalog = catalog();
    let today = days_of("2026-08-01").unwrap();
    let old: Vec<&str> = catalog.stale(today, 90).iter().map(|source| &*source.id).collect();
    assert_eq!(old, ["google-costs-2025", "infracost"]);
}

#[test]
fn chips_are_found_by_what_people_call_them() {
    let table = [
        ("A100-80GB", "a100", true),
        ("A100-80GB", "A100-80GB", true),
        ("A10G", "A10", false),
        ("H100", "h100", true),
        ("Trainium2", "Trainium", false),
        ("L4", "L40S", false),
    ];
    for (chip, wanted, expected) in table {
        assert_eq!(same_chip(chip, wanted), expected, "{chip} {wanted}");
    }
}

proptest! {
    /// Whatever a file holds, it is read or refused; nothing panics.
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = Catalog::read([("x", &*text)]);
        let _ = Catalog::read([("x", &*format!("# stratiform-catalog 1 chips\n{text}"))]);
    }

    #[test]
    fn any_rows_are_read_or_refused(
        kind in "sources|chips|mig|types aws|offerings aws|prices aws|regions aws|tpu|storage|services",
        cells in proptest::collection::vec("[-*!:,a-z0-9. ]{0,6}", 0..40),
    ) {
        let text = format!("# stratiform-catalog 1 {kind}\n{}\n{}", "name\tid\ttype\tchip\tsource", cells.join("\t"));
        let _ = catalog_light(&text);
    }
}

fn catalog_light(text: &str) -> Result<Catalog, CatalogError> {
    Catalog::read([("x", text)])
}
