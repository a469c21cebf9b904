//! Reads the text forms of addresses and attribute paths.
//!
//! One scanner serves all kinds: an address is a run of dotted names, each with an optional key in
//! brackets. What follows a pair of names tells what the pair was: `cluster.train` alone is a
//! resource, `cluster.train.local_job.a` is a resource inside a component.

use std::str::FromStr;
use std::sync::Arc;

use crate::error::AddressError;
use crate::key::InstanceKey;
use crate::module::{ModuleInstance, ModulePath, ModulePathStep, ModuleStep};
use crate::path::{AttributePath, PathStep};
use crate::resource::{AbsResource, ConfigResource, Resource, ResourceInstance, ResourceMode};
use crate::target::Target;

impl FromStr for ModuleInstance {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut scanner = Scanner::new(text, "a module instance address");
        let mut steps = Vec::new();
        while !scanner.at_end() {
            steps.push(scanner.module_step()?);
            if !scanner.at_end() {
                scanner.expect('.', "`.`")?;
            }
        }
        Ok(Self::new(steps))
    }
}

impl FromStr for ModulePath {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let instance: ModuleInstance = text.parse()?;
        match instance.steps().iter().find(|step| !step.key.is_none()) {
            Some(_) => Err(AddressError::Syntax {
                text: text.into(),
                wanted: "a module address",
                expected: "no instance key",
                position: text.find('[').map_or(1, |byte| text[..byte].chars().count() + 1),
            }),
            None => Ok(Self::new(instance.steps().iter().map(ModulePathStep::from))),
        }
    }
}

impl FromStr for ResourceInstance {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match parse_target(text, "a resource instance address")? {
            Target::Instance(instance) => Ok(instance),
            Target::Resource(block) => Ok(block.instance(InstanceKey::None)),
            Target::Module(_) => Err(AddressError::Syntax {
                text: text.into(),
                wanted: "a resource instance address",
                expected: "a resource after the module",
                position: text.chars().count() + 1,
            }),
        }
    }
}

impl FromStr for AbsResource {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match parse_target(text, "a resource address")? {
            Target::Resource(block) => Ok(block),
            Target::Instance(_) | Target::Module(_) => Err(AddressError::Syntax {
                text: text.into(),
                wanted: "a resource address",
                expected: "a resource without an instance key",
                position: text.chars().count() + 1,
            }),
        }
    }
}

impl FromStr for ConfigResource {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let block: AbsResource = text.parse()?;
        Ok(block.config())
    }
}

impl FromStr for Target {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        parse_target(text, "an address")
    }
}

impl FromStr for AttributePath {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut scanner = Scanner::new(text, "an attribute path");
        let mut steps = Vec::new();
        while !scanner.at_end() {
            if scanner.peek() == Some('[') {
                steps.push(scanner.path_index()?);
                continue;
            }
            if !steps.is_empty() {
                scanner.expect('.', "`.` or `[`")?;
            }
            steps.push(PathStep::Attribute(scanner.name()?));
        }
        Ok(Self(steps))
    }
}

/// Reads an address of a module, a resource or an instance.
fn parse_target(text: &str, wanted: &'static str) -> Result<Target, AddressError> {
    let mut scanner = Scanner::new(text, wanted);
    let mut steps = Vec::new();
    loop {
        let first = scanner.name()?;
        scanner.expect('.', "`.`")?;
        let mode = match &*first {
            "data" => ResourceMode::Data,
            "ephemeral" => ResourceMode::Ephemeral,
            _ => ResourceMode::Managed,
        };
        if mode != ResourceMode::Managed {
            let type_name = scanner.name()?;
            scanner.expect('.', "`.`")?;
            let resource = Resource { mode, type_name, name: scanner.name()? };
            return scanner.finish(steps, resource);
        }
        let (name, key) = (scanner.name()?, scanner.key()?);
        match (&*first, scanner.at_end()) {
            ("module", true) => {
                steps.push(ModuleStep::call(name, key));
                return Ok(Target::Module(ModuleInstance::new(steps)));
            }
            ("module", false) => steps.push(ModuleStep::call(name, key)),
            (_, true) => {
                let module = ModuleInstance::new(steps);
                let block = Resource::managed(first, name).within(module);
                return Ok(match key {
                    InstanceKey::None => Target::Resource(block),
                    key => Target::Instance(block.instance(key)),
                });
            }
            (_, false) => steps.push(ModuleStep::component(first, name, key)),
        }
        scanner.expect('.', "`.`")?;
    }
}

/// Walks over the text of an address.
struct Scanner<'a> {
    text: &'a str,
    wanted: &'static str,
    byte: usize,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str, wanted: &'static str) -> Self {
        Self { text, wanted, byte: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.byte..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn at_end(&self) -> bool {
        self.byte == self.text.len()
    }

    fn error<T>(&self, expected: &'static str) -> Result<T, AddressError> {
        Err(AddressError::Syntax {
            text: self.text.into(),
            wanted: self.wanted,
            expected,
            position: self.text[..self.byte].chars().count() + 1,
        })
    }

    fn expect(&mut self, wanted: char, expected: &'static str) -> Result<(), AddressError> {
        if self.peek() != Some(wanted) {
            return self.error(expected);
        }
        self.byte += wanted.len_utf8();
        Ok(())
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.byte += end;
        &rest[..end]
    }

    fn name(&mut self) -> Result<Arc<str>, AddressError> {
        let is_start = |c: char| c.is_alphabetic() || c == '_';
        if !self.peek().is_some_and(is_start) {
            return self.error("a name");
        }
        Ok(self.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).into())
    }

    fn key(&mut self) -> Result<InstanceKey, AddressError> {
        if self.peek() != Some('[') {
            return Ok(InstanceKey::None);
        }
        match self.path_index()? {
            PathStep::Index(index) => Ok(InstanceKey::Int(index)),
            PathStep::Key(key) => Ok(InstanceKey::String(key)),
            PathStep::Attribute(_) | PathStep::Element => {
                self.error("a number or a quoted key in the brackets")
            }
        }
    }

    /// Reads `[0]`, `["a"]` or `[*]`.
    fn path_index(&mut self) -> Result<PathStep, AddressError> {
        self.expect('[', "`[`")?;
        let step = match self.peek() {
            Some('"') => PathStep::Key(self.quoted()?.into()),
            Some('*') => {
                self.byte += 1;
                PathStep::Element
            }
            _ => match self.take_while(|c| c.is_ascii_digit() || c == '-').parse() {
                Ok(index) => PathStep::Index(index),
                Err(_) => return self.error("a number or a quoted key"),
            },
        };
        self.expect(']', "`]`")?;
        Ok(step)
    }

    fn quoted(&mut self) -> Result<String, AddressError> {
        self.expect('"', "`\"`")?;
        let mut text = String::new();
        loop {
            let Some(c) = self.peek() else { return self.error("a closing `\"`") };
            self.byte += c.len_utf8();
            match c {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                '$' | '%' if self.rest().starts_with(c) && self.rest()[1..].starts_with('{') => {
                    self.byte += 1;
                    text.push(c);
                }
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, AddressError> {
        let escaped = match self.peek() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(c @ ('"' | '\\')) => c,
            _ => return self.error("one of `n`, `r`, `t`, `\"`, `\\` after the backslash"),
        };
        self.byte += 1;
        Ok(escaped)
    }

    fn module_step(&mut self) -> Result<ModuleStep, AddressError> {
        let type_name = self.name()?;
        self.expect('.', "`.`")?;
        let (name, key) = (self.name()?, self.key()?);
        Ok(match &*type_name {
            "module" => ModuleStep::call(name, key),
            _ => ModuleStep::component(type_name, name, key),
        })
    }

    /// Reads the optional key and the end of the text behind a resource.
    fn finish(
        &mut self,
        steps: Vec<ModuleStep>,
        resource: Resource,
    ) -> Result<Target, AddressError> {
        let key = self.key()?;
        if !self.at_end() {
            return self.error("the end of the address");
        }
        let block = resource.within(ModuleInstance::new(steps));
        Ok(match key {
            InstanceKey::None => Target::Resource(block),
            key => Target::Instance(block.instance(key)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_addresses_read_back_as_written() {
        let table = [
            "aws_vpc.main",
            "aws_instance.node[3]",
            "data.aws_ami.base",
            "ephemeral.aws_secret.db[\"a.b\"]",
            "module.net[\"a\"].module.sub.aws_subnet.x[0]",
            "cluster.train.local_node_pool.this",
            "module.a.cluster.train[\"x\"].data.local_machine.here[2]",
            "a_b.c[\"quote \\\" back \\\\ line \\n dollar $${x}\"]",
        ];
        for text in table {
            let address: ResourceInstance = text.parse().expect(text);
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn what_follows_a_pair_tells_components_from_resources() {
        let component: ResourceInstance = "cluster.train.local_job.a".parse().unwrap();
        assert_eq!(component.module.to_string(), "cluster.train");
        let resource: ResourceInstance = "cluster.train".parse().unwrap();
        assert!(resource.module.is_root());
    }

    #[test]
    fn wrong_addresses_say_where_and_what() {
        let table = [
            ("", "`` is not an address: expected a name at character 1"),
            ("aws_vpc", "`aws_vpc` is not an address: expected `.` at character 8"),
            ("a.b[", "`a.b[` is not an address: expected a number or a quoted key at character 5"),
            (
                "a.b[x]",
                "`a.b[x]` is not an address: expected a number or a quoted key at character 5",
            ),
            (
                "data.a.b.c",
                "`data.a.b.c` is not an address: expected the end of the address at character 9",
            ),
        ];
        for (text, expected) in table {
            let error = text.parse::<Target>().expect_err(text);
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn attribute_paths_read_back_as_written() {
        for text in ["", "tags", "tags[\"a\"]", "node[0].name", "rule[*].port", "a.b.c[2][\"d\"]"] {
            let path: AttributePath = text.parse().expect(text);
            assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn addresses_are_ordered_as_people_count() {
        let mut addresses: Vec<ResourceInstance> =
            ["b.x", "a.x[\"k\"]", "a.x[10]", "a.x[9]", "module.m.a.x", "data.a.x", "a.x"]
                .map(|text| text.parse().unwrap())
                .into();
        addresses.sort();
        let sorted: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        assert_eq!(
            sorted,
            ["data.a.x", "a.x", "a.x[9]", "a.x[10]", "a.x[\"k\"]", "b.x", "module.m.a.x"]
        );
    }

    #[test]
    fn provider_addresses_fill_in_their_defaults() {
        use crate::provider::ProviderAddress;
        let table = [
            ("aws", "registry.terraform.io/hashicorp/aws"),
            ("stratiform/local", "registry.terraform.io/stratiform/local"),
            ("example.com/acme/gpu", "example.com/acme/gpu"),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<ProviderAddress>().unwrap().to_string(), expected);
        }
        for text in ["", "a/b/c/d", "a//b", "a b"] {
            assert!(text.parse::<ProviderAddress>().is_err(), "{text}");
        }
    }
}
