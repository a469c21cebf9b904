//! The command-line configuration: `~/.terraformrc`, the files in `~/.terraform.d`, and their environment variables.
//!
//! These are Terraform's own files, read with the same meaning, so that a machine is set up once for both programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use address::ProviderAddress;
use base64::Engine as _;

use crate::credentials::{self, Helper};
use crate::error::InstallError;
use crate::hcl1::{self, Item, Value};
use crate::provider::source;

/// What the machine and the caller's environment say.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The home folder.
    pub home: Option<PathBuf>,
    /// The working folder.
    pub working_dir: PathBuf,
    /// All variables of the environment; empty ones count as absent.
    pub variables: BTreeMap<String, String>,
}

impl Environment {
    fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }
}

/// Where providers and modules come from.
#[derive(Clone, Default)]
pub struct Settings {
    /// How providers may be had, in order of preference.
    pub methods: Vec<Method>,
    /// Providers that are taken from a folder, without version and without check.
    pub dev_overrides: BTreeMap<ProviderAddress, PathBuf>,
    /// A folder of packages that several working folders share.
    pub plugin_cache_dir: Option<PathBuf>,
    /// Whether a cached package may be used before the lock file knows its hash.
    pub cache_may_break_lock: bool,
    /// Whether nobody may be asked for newer versions of the program. This program asks nobody anyway.
    pub disable_checkpoint: bool,
    /// Secrets by host.
    pub(crate) tokens: BTreeMap<String, String>,
    /// Who is asked for secrets of other hosts.
    pub(crate) helper: Option<Helper>,
    /// The content of `.netrc`.
    pub(crate) netrc: Option<String>,
    /// Services of hosts that are not discovered: host, service, address.
    pub services: BTreeMap<String, BTreeMap<String, String>>,
    /// What the environment says; for credentials of storage services.
    pub(crate) variables: BTreeMap<String, String>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Tokens and the environment hold secrets.
        f.debug_struct("Settings")
            .field("methods", &self.methods)
            .field("dev_overrides", &self.dev_overrides)
            .field("plugin_cache_dir", &self.plugin_cache_dir)
            .field("services", &self.services)
            .finish_non_exhaustive()
    }
}

/// One way to get providers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Where from.
    pub place: Place,
    /// Only these; empty for all.
    pub include: Vec<Pattern>,
    /// But not these.
    pub exclude: Vec<Pattern>,
}

/// Where providers come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The registry that the provider's address names.
    Registry,
    /// A folder.
    Folder(PathBuf),
    /// A network mirror, by its base address.
    Mirror(String),
}

/// `HOST/NAMESPACE/TYPE`, each of them perhaps `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern([String; 3]);

impl Method {
    /// A way that serves all providers.
    pub fn all(place: Place) -> Self {
        Self { place, include: Vec::new(), exclude: Vec::new() }
    }

    /// Whether it may be asked for a provider.
    pub fn serves(&self, provider: &ProviderAddress) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(provider));
        !any(&self.exclude) && (self.include.is_empty() || any(&self.include))
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let default = ProviderAddress::implied("x");
        let full = match parts[..] {
            [name] if name != "*" => [&default.host, &default.namespace, name],
            [namespace, name] => [&default.host, namespace, name],
            [host, namespace, name] => [host, namespace, name],
            _ => return None,
        };
        full.iter().all(|part| !part.is_empty()).then(|| Self(full.map(str::to_lowercase)))
    }

    fn exactly(provider: &ProviderAddress) -> Self {
        Self([&provider.host, &provider.namespace, &provider.type_name].map(ToString::to_string))
    }

    fn matches(&self, provider: &ProviderAddress) -> bool {
        let parts = [&provider.host, &provider.namespace, &provider.type_name];
        self.0.iter().zip(parts).all(|(pattern, part)| pattern == "*" || **pattern == **part)
    }
}

impl Settings {
    /// Reads the files and variables. The second part holds warnings.
    ///
    /// # Errors
    ///
    /// [`InstallError::Settings`] when a file has a fault.
    pub fn read(environment: &Environment) -> Result<(Self, Vec<String>), InstallError> {
        let mut settings = Self { variables: environment.variables.clone(), ..Self::default() };
        let mut warnings = Vec::new();
        let mut explicit = false;
        for file in files(environment, &mut warnings) {
            explicit |= settings.read_file(&file, environment)?;
        }
        if !explicit {
            settings.methods = implied_methods(environment);
        }
        let netrc = credentials::netrc_path(environment.get("NETRC"), environment.home.as_deref());
        settings.netrc = netrc.and_then(|path| fs::read_to_string(path).ok());
        if let Some(dir) = environment.get("TF_PLUGIN_CACHE_DIR") {
            settings.plugin_cache_dir = Some(environment.working_dir.join(dir));
        }
        settings.cache_may_break_lock |=
            environment.get("TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE").is_some_and(truthy);
        for (name, token) in &environment.variables {
            if let Some(host) = name.strip_prefix("TF_TOKEN_") {
                settings.tokens.insert(host_of_variable(host), token.clone());
            }
        }
        if let Some(dir) = settings.plugin_cache_dir.as_ref().filter(|dir| !dir.is_dir()) {
            warnings.push(format!(
                "the plugin cache `{}` does not exist and is not used; make the folder to use it",
                dir.display()
            ));
            settings.plugin_cache_dir = None;
        }
        Ok((settings, warnings))
    }

    /// Takes providers from these folders and from nowhere else: `-plugin-dir`.
    pub fn only_folders(&mut self, folders: &[PathBuf]) {
        let folders = folders.iter().map(|dir| Method::all(Place::Folder(dir.clone())));
        self.methods = folders.collect();
        self.plugin_cache_dir = None;
    }

    /// The secret for a host.
    ///
    /// # Errors
    ///
    /// [`InstallError::Settings`] if the credentials helper fails.
    pub(crate) fn token(&self, host: &str) -> Result<Option<Arc<str>>, InstallError> {
        match (self.tokens.get(host), &self.helper) {
            (Some(token), _) => Ok(Some(token.as_str().into())),
            (None, Some(helper)) => helper.token(host),
            (None, None) => Ok(None),
        }
    }

    /// The header that opens a module's package, from `.netrc`. An address with a user of its own needs none.
    pub(crate) fn netrc_authorization(&self, url: &str) -> Option<String> {
        let authority = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
        if authority.contains('@') {
            return None;
        }
        let host = match authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next()?,
            None => authority.split(':').next()?,
        };
        let (user, password) = credentials::of_netrc(self.netrc.as_deref()?, host)?;
        let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        Some(format!("Basic {text}"))
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// Returns whether the file says how providers are installed.
    fn read_file(&mut self, file: &Path, environment: &Environment) -> Result<bool, InstallError> {
        let wrong = |reason| InstallError::Settings { file: file.display().to_string(), reason };
        let text = fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
        let items = if file.extension().is_some_and(|extension| extension == "json") {
            let json: serde_json::Value =
                serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            hcl1::from_json(json.as_object().ok_or_else(|| wrong("not an object".to_owned()))?)
        } else {
            hcl1::parse(&text).map_err(wrong)?
        };
        let mut explicit = false;
        for item in &items {
            explicit |= item.key == "provider_installation";
            self.read_item(item, environment)
                .map_err(|reason| wrong(format!("line {}: {reason}", item.line)))?;
        }
        Ok(explicit)
    }

    fn read_item(&mut self, item: &Item, environment: &Environment) -> Result<(), String> {
        match item.key.as_str() {
            "plugin_cache_dir" => {
                let dir = expand(&text(&item.value, "plugin_cache_dir")?, environment);
                self.plugin_cache_dir = Some(environment.working_dir.join(dir));
            }
            "plugin_cache_may_break_dependency_lock_file" => {
                self.cache_may_break_lock = flag(&item.value)?;
            }
            "disable_checkpoint" => self.disable_checkpoint = flag(&item.value)?,
            "credentials" => {
                for (host, inner) in labelled(item)? {
                    for inner in inner.iter().filter(|inner| inner.key == "token") {
                        self.tokens.insert(host.to_lowercase(), text(&inner.value, "token")?);
                    }
                }
            }
            "host" => {
                for (host, inner) in labelled(item)? {
                    for inner in inner.iter().filter(|inner| inner.key == "services") {
                        let services = self.services.entry(host.to_lowercase()).or_default();
                        for service in block(&inner.value, "services")? {
                            services
                                .insert(service.key.clone(), text(&service.value, &service.key)?);
                        }
                    }
                }
            }
            "provider_installation" => {
                self.read_installation(block(&item.value, &item.key)?, environment)?
            }
            "credentials_helper" => {
                for (name, inner) in labelled(item)? {
                    let given = inner.iter().find(|inner| inner.key == "args");
                    let arguments = match given.map(|given| &given.value) {
                        None => Vec::new(),
                        Some(Value::List(values)) => values
                            .iter()
                            .map(|value| text(value, "args"))
                            .collect::<Result<_, _>>()?,
                        Some(_) => return Err("`args` is a list".to_owned()),
                    };
                    let folders = helper_folders(environment);
                    self.helper = Some(Helper::find(name, arguments, &folders));
                }
            }
            // `providers`, `disable_checkpoint_signature` and what later versions add.
            _ => {}
        }
        Ok(())
    }

    fn read_installation(
        &mut self,
        items: &[Item],
        environment: &Environment,
    ) -> Result<(), String> {
        for item in items {
            let inner = block(&item.value, &item.key)?;
            if item.key == "dev_overrides" {
                for entry in inner {
                    let address = entry
                        .key
                        .parse()
                        .map_err(|_| format!("`{}` is not a provider address", entry.key))?;
                    let dir = environment.working_dir.join(text(&entry.value, &entry.key)?);
                    self.dev_overrides.insert(address, dir);
                }
                continue;
            }
            let argument = |name: &str| {
                let found = inner.iter().find(|inner| inner.key == name);
                found
                    .ok_or_else(|| format!("`{}` needs `{name}`", item.key))
                    .and_then(|found| text(&found.value, name))
            };
            let place = match item.key.as_str() {
                "direct" => Place::Registry,
                "filesystem_mirror" => {
                    Place::Folder(environment.working_dir.join(argument("path")?))
                }
                "network_mirror" => Place::Mirror(mirror_address(&argument("url")?)?),
                other => {
                    return Err(format!(
                        "`{other}` is not a way to install providers; there are `direct`, `filesystem_mirror`, \
                         `network_mirror` and `dev_overrides`"
                    ));
                }
            };
            let include = patterns(inner, "include")?;
            let exclude = patterns(inner, "exclude")?;
            self.methods.push(Method { place, include, exclude });
        }
        Ok(())
    }
}

/// A mirror's base, with `/` at its end. Mirrors speak TLS; this machine itself may be asked without.
fn mirror_address(text: &str) -> Result<String, String> {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let fits = text.starts_with("https://")
        || local.iter().any(|start| {
            text.strip_prefix(start)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        });
    if !fits {
        return Err(format!(
            "`{text}` is not the address of a mirror, which begins with `https://`"
        ));
    }
    Ok(if text.ends_with('/') { text.to_owned() } else { format!("{text}/") })
}

fn files(environment: &Environment, warnings: &mut Vec<String>) -> Vec<PathBuf> {
    let named =
        environment.get("TF_CLI_CONFIG_FILE").or_else(|| environment.get("TERRAFORM_CONFIG"));
    if let Some(named) = named {
        let file = environment.working_dir.join(named);
        if file.exists() {
            return vec![file];
        }
        warnings.push(format!("the command-line configuration `{named}` does not exist"));
        return Vec::new();
    }
    let Some(home) = &environment.home else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        [".terraformrc", "terraform.rc"].map(|name| home.join(name)).to_vec();
    if let Some(roaming) = environment.get("APPDATA") {
        found.push(Path::new(roaming).join("terraform.rc"));
    }
    found.retain(|file| file.is_file());
    found.truncate(1);
    let mut more: Vec<PathBuf> = fs::read_dir(home.join(".terraform.d"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (name.ends_with(".tfrc") || name.ends_with(".tfrc.json")) && path.is_file()
        })
        .collect();
    more.sort();
    found.extend(more);
    found
}

/// The folders that are searched where nothing is said; what they hold is taken from nowhere else.
fn implied_methods(environment: &Environment) -> Vec<Method> {
    let mut folders = vec![environment.working_dir.join("terraform.d/plugins")];
    if let Some(home) = &environment.home {
        folders.push(home.join(".terraform.d/plugins"));
        if cfg!(target_os = "macos") {
            folders.push(home.join("Library/Application Support/io.terraform/plugins"));
        }
        let data = environment.get("XDG_DATA_HOME").map(PathBuf::from);
        folders.push(data.unwrap_or_else(|| home.join(".local/share")).join("terraform/plugins"));
    }
    let shared = environment.get("XDG_DATA_DIRS").unwrap_or("/usr/local/share:/usr/share");
    folders.extend(shared.split(':').map(|dir| Path::new(dir).join("terraform/plugins")));
    folders.retain(|folder| folder.is_dir());
    let found: BTreeSet<ProviderAddress> =
        folders.iter().flat_map(|folder| source::folder_providers(folder)).collect();
    let mut methods: Vec<Method> =
        folders.into_iter().map(|folder| Method::all(Place::Folder(folder))).collect();
    let exclude = found.iter().map(Pattern::exactly).collect();
    methods.push(Method { place: Place::Registry, include: Vec::new(), exclude });
    methods
}

/// `app__example_com` stands for `app-example.com`: dots become `_` and dashes `__` in names of variables.
fn host_of_variable(name: &str) -> String {
    name.replace("__", "-").replace('_', ".").to_lowercase()
}

/// Puts in variables of the environment: `$HOME/x`, `${HOME}/x`.
fn expand(text: &str, environment: &Environment) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let braced = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, after) = braced.unwrap_or_else(|| {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            rest.split_at(end.unwrap_or(rest.len()))
        });
        out.push_str(environment.get(name).unwrap_or_default());
        rest = after;
    }
    out + rest
}

fn truthy(text: &str) -> bool {
    !matches!(text, "0" | "false")
}

fn text(value: &Value, name: &str) -> Result<String, String> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        _ => Err(format!("`{name}` is a string")),
    }
}

fn flag(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(set) => Ok(*set),
        Value::Text(text) => Ok(truthy(text)),
        _ => Err("`true` or `false` was expected".to_owned()),
    }
}

fn block<'a>(value: &'a Value, name: &str) -> Result<&'a [Item], String> {
    match value {
        Value::Block(items) => Ok(items),
        _ => Err(format!("`{name}` is a block")),
    }
}

/// Where credentials helpers are looked for.
fn helper_folders(environment: &Environment) -> Vec<PathBuf> {
    let Some(home) = &environment.home else { return Vec::new() };
    let plugins = home.join(".terraform.d/plugins");
    let platform = crate::platform::Platform::current().to_string();
    vec![plugins.join(platform), plugins]
}

/// `credentials "host" { … }`, or in JSON `"credentials": { "host": { … } }`.
fn labelled(item: &Item) -> Result<Vec<(&str, &[Item])>, String> {
    let inner = block(&item.value, &item.key)?;
    match &item.labels[..] {
        [label] => Ok(vec![(label, inner)]),
        [] => {
            inner.iter().map(|one| Ok((one.key.as_str(), block(&one.value, &one.key)?))).collect()
        }
        _ => Err(format!("`{}` has one label", item.key)),
    }
}

fn patterns(items: &[Item], name: &str) -> Result<Vec<Pattern>, String> {
    let Some(found) = items.iter().find(|item| item.key == name) else { return Ok(Vec::new()) };
    let Value::List(values) = &found.value else { return Err(format!("`{name}` is a list")) };
    let parsed = values.iter().map(|value| {
        let text = text(value, name)?;
        Pattern::parse(&text).ok_or_else(|| format!("`{text}` is not a pattern such as `*/*`"))
    });
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(home: &Path, variables: &[(&str, &str)]) -> Environment {
        let variables = variables.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Environment { home: Some(home.to_owned()), working_dir: home.to_owned(), variables }
    }

    #[test]
    fn everything_that_terraforms_files_may_say_is_read() {
        let home = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(home.path().join(".terraform.d")).expect("a folder");
        fs::create_dir(home.path().join("cache")).expect("a folder");
        let rc = r#"
            plugin_cache_dir   = "$HERE/cache"
            disable_checkpoint = true
            credentials "app.example.com" { token = "t1" }
            host "example.com" { services = { "providers.v1" = "http://127.0.0.1:1/p/" } }
            provider_installation {
              dev_overrides { "acme/db" = "/dev/db" }
              filesystem_mirror {
                path    = "/mirror"
                include = ["example.com/*/*"]
              }
              network_mirror {
                url     = "https://mirror.example.com/x"
                exclude = ["hashicorp/aws"]
              }
              direct {}
            }
        "#;
        fs::write(home.path().join(".terraformrc"), rc).expect("a file");
        let json = r#"{"credentials": {"other.example.com": {"token": "t2"}}}"#;
        fs::write(home.path().join(".terraform.d/credentials.tfrc.json"), json).expect("a file");
        let here = home.path().display().to_string();
        let variables = [("HERE", here.as_str()), ("TF_TOKEN_my__host_example_com", "t3")];
        let (settings, warnings) =
            Settings::read(&environment(home.path(), &variables)).expect("settings");
        assert_eq!(warnings, Vec::<String>::new());
        assert!(settings.disable_checkpoint);
        assert_eq!(settings.plugin_cache_dir, Some(home.path().join("cache")));
        for (host, token) in
            [("app.example.com", "t1"), ("other.example.com", "t2"), ("my-host.example.com", "t3")]
        {
            assert_eq!(settings.token(host).ok().flatten().as_deref(), Some(token), "{host}");
        }
        assert_eq!(settings.services["example.com"]["providers.v1"], "http://127.0.0.1:1/p/");
        let serving = |provider: &str| -> Vec<bool> {
            let provider = provider.parse().expect("an address");
            settings.methods.iter().map(|method| method.serves(&provider)).collect()
        };
        assert_eq!(serving("example.com/a/b"), [true, true, true]);
        assert_eq!(serving("hashicorp/aws"), [false, false, true]);
        assert_eq!(
            settings.methods[1].place,
            Place::Mirror("https://mirror.example.com/x/".into())
        );
        assert_eq!(settings.dev_overrides[&"acme/db".parse().expect("a")], Path::new("/dev/db"));
        assert!(!format!("{settings:?}").contains("t1"), "tokens are not shown");
    }

    #[test]
    fn what_an_implied_folder_holds_is_taken_from_there_alone() {
        let home = tempfile::tempdir().expect("a folder");
        let package = "terraform.d/plugins/example.com/acme/db/1.0.0/linux_amd64";
        fs::create_dir_all(home.path().join(package)).expect("a folder");
        let (settings, _) = Settings::read(&environment(home.path(), &[])).expect("settings");
        let direct = settings.methods.last().expect("a way");
        assert_eq!(direct.place, Place::Registry);
        assert!(!direct.serves(&"example.com/acme/db".parse().expect("an address")));
        assert!(direct.serves(&"hashicorp/aws".parse().expect("an address")));
    }

    #[test]
    fn faults_name_file_and_line() {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("rc");
        let table = [
            ("provider_installation {\n  ftp { url = \"x\" }\n}", "line 1: `ftp` is not a way"),
            ("\nplugin_cache_dir = 3", "line 2: `plugin_cache_dir` is a string"),
            (
                "provider_installation { network_mirror { url = \"http://a.b/\" } }",
                "begins with `https",
            ),
            ("provider_installation { filesystem_mirror {} }", "needs `path`"),
            ("provider_installation { direct { include = [\"*\"] } }", "not a pattern"),
            ("a = ", "line 1"),
        ];
        for (text, expected) in table {
            fs::write(&file, text).expect("a file");
            let name = file.display().to_string();
            let found = Settings::read(&environment(home.path(), &[("TF_CLI_CONFIG_FILE", &name)]));
            let error = found.expect_err(text).to_string();
            assert!(error.contains(expected) && error.contains(&name), "{error}");
        }
    }
}
