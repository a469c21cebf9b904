component_type "dataset" {
  description = "Data under one fingerprint, which clusters mount as they do file systems."

  input "source" {
    type        = string
    description = "Where it lies: a folder, or `s3://…`."
  }

  input "digest" {
    type        = string
    default     = null
    description = "SHA-256 over names and contents that it has to have, as `fingerprint` says; whatever is there otherwise."
  }

  input "size_gib" {
    type        = number
    description = "How much it takes at most, in GiB."
    validation {
      condition     = input.size_gib > 0
      error_message = "The size must be more than 0 GiB."
    }
  }

  input "format" {
    type        = string
    default     = null
    description = "Of its files, such as `jsonl` or `parquet`: a folder with files that end otherwise is refused."
  }

  input "personal" {
    type        = bool
    default     = false
    description = "Whether it tells of people: then it is encrypted with a key of its own, and every change of it is kept."
  }

  input "countries" {
    type        = list(string)
    default     = []
    description = "Where it may be, as three letters such as `DEU`; anywhere otherwise."
  }

  input "options" {
    type        = any
    default     = {}
    description = "What only one backend knows, by the backend's name, as `{ aws = { … } }`: the head of each implementation lists it."
  }

  output "path" { description = "Where it is found." }
  output "fingerprint" { description = "SHA-256 over names and contents." }

  implementation "local" {
    backend = "local"
    source  = "./local"
    offer   = offer.kind == "machine"
    requires = [
      {
        condition = !strcontains(input.source, "://")
        message   = "a data set on ${offer.name} is copied from a folder, and `${input.source}` is none"
      },
      {
        condition = input.size_gib <= offer.disk_free_gib
        message   = "needs ${input.size_gib} GiB of disk, but ${offer.name} has ${offer.disk_free_gib} GiB free: ${input.size_gib - offer.disk_free_gib} GiB too few"
      },
    ]
    demand = { disk_gib = input.size_gib }
  }

  implementation "aws" {
    backend  = "aws"
    source   = "./aws"
    offer    = offer.kind == "region"
    machines = 0
    requires = [
      {
        condition = length(input.countries) == 0 || contains(input.countries, coalesce(offer.country, "-"))
        message   = "may be in ${join(", ", input.countries)}, and ${offer.region} is in ${coalesce(offer.country, "a country that nobody knows")}"
      },
    ]
  }
}
