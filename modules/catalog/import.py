#!/usr/bin/env python3
"""Turns open sources into tables of the catalog. README.md beside it describes the format.

    python3 import.py --moto FOLDER --moto-version 5.2.5 --moto-date 2026-10-27 --botocore FOLDER
                      --codecarbon FOLDER
    python3 import.py --karpenter-aws FILE.go | --karpenter-azure FILE.go

The folders are those of the unpacked packages `moto`, `botocore` and `codecarbon`. The second form prints a table
of prices for an overlay (`stratiform catalog update FILE`), from the price tables that the Karpenter providers carry.

The same input gives the same files, byte for byte: rows are sorted, nothing depends on the day.
"""
import argparse
import gzip
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# The API's name of a device, by memory per device where the name alone does not say which chip it is.
CHIPS = {
    ("A100", 40960): "A100-40GB", ("A100", 81920): "A100-80GB", ("V100", 32768): "V100-32GB",
    ("RTX PRO Server 6000", None): "RTX-PRO-6000", ("RTX PRO 4500", None): "RTX-PRO-4500",
}

# The API says 512 GiB for each Trainium2 device; AWS's own page says 1.5 TB for 16 of them, 96 GiB each.
CORRECTED_MIB = {"Trainium2": 98304}

COUNTRIES = {
    "af-south": "ZAF", "ap-east-1": "HKG", "ap-east-2": "TWN", "ap-northeast-1": "JPN", "ap-northeast-2": "KOR",
    "ap-northeast-3": "JPN", "ap-south-": "IND", "ap-southeast-1": "SGP", "ap-southeast-2": "AUS",
    "ap-southeast-3": "IDN", "ap-southeast-4": "AUS", "ap-southeast-5": "MYS", "ap-southeast-6": "NZL",
    "ap-southeast-7": "THA", "ca-": "CAN", "eu-central-1": "DEU", "eu-central-2": "CHE", "eu-north-1": "SWE",
    "eu-south-1": "ITA", "eu-south-2": "ESP", "eu-west-1": "IRL", "eu-west-2": "GBR", "eu-west-3": "FRA",
    "il-": "ISR", "me-central-1": "ARE", "me-south-1": "BHR", "mx-": "MEX", "sa-east-1": "BRA", "us-": "USA",
}


def number(value):
    """A number without a needless fraction; a dash for what is not known."""
    if value is None:
        return "-"
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def write(name, kind, columns, rows, note):
    rows = sorted(rows)
    with open(os.path.join(HERE, name), "w", encoding="utf-8", newline="\n") as out:
        backend = name.split("-")[1].split(".")[0]
        out.write(f"# stratiform-catalog 1 {kind} {backend}\n# Made by import.py; do not edit. {note}\n")
        out.write("\t".join(columns) + "\n")
        for row in rows:
            out.write("\t".join(row) + "\n")
    print(f"{name}: {len(rows)} rows", file=sys.stderr)


def devices(raw):
    """Chip, count and memory per device; fractions of a device count as such."""
    for gpu in raw.get("GpuInfo", {}).get("Gpus", []):
        name, mib = gpu["Name"], gpu["MemoryInfo"]["SizeInMiB"]
        chip = CHIPS.get((name, mib)) or CHIPS.get((name, None)) or name
        share = gpu.get("GpuPartitionSize", 1.0)
        count = gpu["Count"] or gpu.get("LogicalGpuCount", 0) * share
        return chip, count, mib
    for device in raw.get("NeuronInfo", {}).get("NeuronDevices", []):
        name = device["Name"]
        return name, device["Count"], CORRECTED_MIB.get(name, device["MemoryInfo"]["SizeInMiB"])
    for device in raw.get("InferenceAcceleratorInfo", {}).get("Accelerators", []):
        return device["Name"].replace(" ", "-"), device["Count"], device.get("MemoryInfo", {}).get("SizeInMiB")
    return None, 0, None


TYPE_COLUMNS = ["name", "chip", "chips", "chip_memory_mib", "vcpus", "memory_mib", "arch", "network_gbps", "fabric",
                "network_cards", "fabric_interfaces", "interfaces_per_card", "disk_mbps", "disk_iops", "local_disk_gb",
                "purchase", "source"]
USAGE = {"on-demand": "on_demand", "spot": "spot", "capacity-block": "capacity_block"}


def aws_type(name, raw, source):
    chip, chips, chip_mib = devices(raw)
    network, ebs = raw["NetworkInfo"], raw.get("EbsInfo", {}).get("EbsOptimizedInfo", {})
    cards = network.get("NetworkCards", [])
    # What the cards sustain, not what they burst to.
    gbps = sum(card.get("BaselineBandwidthInGbps") or 0 for card in cards) or None
    stated = re.fullmatch(r"(\d+) Gigabit", network.get("NetworkPerformance", ""))
    if stated:
        gbps = int(stated.group(1))
    efa = network.get("EfaInfo", {}).get("MaximumEfaInterfaces", 0)
    local = raw.get("InstanceStorageInfo", {}).get("TotalSizeInGB")
    return [
        name, chip or "-", number(float(chips)) if chip else "0", number(chip_mib),
        str(raw["VCpuInfo"]["DefaultVCpus"]), str(raw["MemoryInfo"]["SizeInMiB"]),
        ",".join(raw["ProcessorInfo"]["SupportedArchitectures"]),
        number(float(gbps)) if gbps else "-", "efa" if efa else "ethernet",
        str(network["MaximumNetworkCards"]), str(efa),
        ",".join(str(card["MaximumNetworkInterfaces"]) for card in cards) if len(set(
            card["MaximumNetworkInterfaces"] for card in cards)) > 1 else str(cards[0]["MaximumNetworkInterfaces"]),
        number(ebs.get("MaximumBandwidthInMbps")), number(ebs.get("MaximumIops")), number(local or 0),
        ",".join(sorted(USAGE[usage] for usage in raw["SupportedUsageClasses"] if usage in USAGE)) or "-", source,
    ]


def load(path):
    with gzip.open(path) as file:
        return json.load(file)


def moto(folder, version, date):
    source = f"moto-{version}"
    resources = os.path.join(folder, "ec2", "resources")
    types = load(os.path.join(resources, "instance_types.json.gz"))
    write("types-aws.tsv", "types", TYPE_COLUMNS, [aws_type(name, raw, source) for name, raw in types.items()],
          f"EC2 DescribeInstanceTypes as moto {version} ships it, {date}.")
    offered, zones = {}, {}
    places = os.path.join(resources, "instance_type_offerings", "availability-zone")
    for file in sorted(os.listdir(places)):
        region = file.split(".")[0]
        for offer in load(os.path.join(places, file)):
            zone = offer["Location"][len(region):]
            offered.setdefault(offer["InstanceType"], {}).setdefault(region, set()).add(zone)
            zones.setdefault(region, set()).add(zone)
    rows = []
    for name, places in offered.items():
        # Zones matter for what is scarce; for ordinary machines they would be most of the file.
        scarce = name in types and devices(types[name])[0] is not None
        text = [f"{region}:{''.join(sorted(letters))}" if scarce else region for region, letters in
                sorted(places.items())]
        others = sorted(set(zones) - set(places))
        if not scarce and len(others) * 2 < len(zones):
            text = ["*"] + [f"!{region}" for region in others]
        rows.append([name, " ".join(text), source])
    write("offerings-aws.tsv", "offerings", ["name", "regions", "source"], rows,
          "Regions, and zones where the type has accelerators; `*` is every region, `!x` all but x.")
    return zones


def country(region):
    return next((code for prefix, code in COUNTRIES.items() if region.startswith(prefix)), "-")


REGION_COLUMNS = ["name", "title", "country", "zones", "grams_per_kwh", "pue", "source", "carbon_source"]


def aws_regions(zones, botocore, codecarbon):
    with open(os.path.join(botocore, "data", "endpoints.json"), encoding="utf-8") as file:
        regions = json.load(file)["partitions"][0]["regions"]
    with open(os.path.join(codecarbon, "data", "private_infra", "global_energy_mix.json"), encoding="utf-8") as file:
        mix = json.load(file)
    rows = []
    for name, about in regions.items():
        code = country(name)
        grams = mix.get(code, {}).get("carbon_intensity")
        rows.append([name, about["description"], code, "".join(sorted(zones.get(name, []))) or "-",
                     number(float(grams)) if grams else "-", "-", "botocore", "codecarbon-mix" if grams else "-"])
    write("regions-aws.tsv", "regions", REGION_COLUMNS, rows,
          "Carbon is the average of the country's grid in 2023; AWS publishes none per region.")


def google_regions(codecarbon):
    import csv
    rows = []
    with open(os.path.join(codecarbon, "data", "cloud", "impact.csv"), encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            if row["provider"] == "gcp":
                place = row["city"] or row["state"] or row["country_name"]
                rows.append([row["region"], place, row["countryIsoCode"] or "-", "-", row["impact"] or "-", "-",
                             "codecarbon-cloud", "codecarbon-cloud"])
    write("regions-google.tsv", "regions", REGION_COLUMNS, rows, "Carbon as Google publishes it per region.")


def karpenter(path, backend):
    """Prices of a table in Go: lines of `"type": price` under a region."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    date = re.search(r"generated at (\d{4}-\d{2}-\d{2})", text).group(1)
    source = f"karpenter-{backend}"
    print("# stratiform-catalog 1 sources\nid\ttitle\turl\tlicence\tdate")
    print(f"{source}\tKarpenter provider for {backend}, price table\thttps://karpenter.sh\tApache-2.0\t{date}")
    print(f"# stratiform-catalog 1 prices {backend}\ntype\tregion\tpurchase\tusd_per_hour_low\tusd_per_hour_high\tsource")
    region, rows = None, []
    for line in text.splitlines():
        start = re.match(r'\s*"([a-z0-9-]+)": \{', line) or re.match(r'\s*initialOnDemandPrices\["([a-z0-9-]+)"\]', line)
        if start:
            region = start.group(1)
            continue
        for name, price in re.findall(r'"([A-Za-z0-9_.-]+)":\s*([0-9.]+)', line):
            full = name if backend == "aws" or name.startswith("Standard_") else f"Standard_{name}"
            rows.append((full, region, "on_demand", number(float(price)), number(float(price)), source))
    for row in sorted(rows):
        print("\t".join(row))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ["moto", "botocore", "codecarbon", "karpenter-aws", "karpenter-azure"]:
        parser.add_argument(f"--{name}")
    parser.add_argument("--moto-version", default="5.2.5")
    parser.add_argument("--moto-date", default="2026-10-27")
    args = parser.parse_args()
    zones = moto(args.moto, args.moto_version, args.moto_date) if args.moto else {}
    if args.botocore and args.codecarbon:
        aws_regions(zones, args.botocore, args.codecarbon)
    if args.codecarbon:
        google_regions(args.codecarbon)
    for backend in ["aws", "azure"]:
        if path := getattr(args, f"karpenter_{backend}"):
            karpenter(path, backend)


if __name__ == "__main__":
    main()
