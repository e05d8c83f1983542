//! The kubeconfig: a file of the session that says which clusters, users and contexts there are.
//!
//! Source: k8s.io/client-go/tools/clientcmd (api/types.go, api/v1/types.go, api/v1/conversion.go).

use super::program::Session;
use crate::api::decode::json_kind;
use crate::api::sorted::SortedMap;
use crate::api::yaml;
use serde_json::{Map, Value, json};

/// Where the file lies when neither `--kubeconfig` nor `$KUBECONFIG` names another.
pub const PATH: &str = "/root/.kube/config";

/// The file kubeadm would leave, with a token: one cluster, one user, one context.
pub fn of_one(server: &str, token: &str, namespace: &str) -> String {
    format!(
        "apiVersion: v1
clusters:
- cluster:
    server: {server}
  name: company-x
contexts:
- context:
    cluster: company-x
    namespace: {namespace}
    user: you
  name: company-x
current-context: company-x
kind: Config
preferences: {{}}
users:
- name: you
  user:
    token: {token}
"
    )
}

/// The fields of one cluster, user or context.
pub type Entry = Map<String, Value>;
pub type Entries = SortedMap<String, Entry>;

/// What a field holds, as far as reading, printing and `config set` need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Text,
    Bool,
    /// Base64 in the file.
    Bytes,
    Texts,
    /// A map of the client's own, such as `extensions`.
    Map,
    /// A struct that may be missing.
    Struct,
}

/// A field of a cluster, user or context.
pub struct Field {
    /// Its name in the file.
    pub name: &'static str,
    /// Its name in a path of `config set`; the Go struct behind that has tags of its own.
    pub property: &'static str,
    pub holds: Holds,
    /// Printed also when empty.
    pub always: bool,
}

const fn field(name: &'static str, holds: Holds) -> Field {
    renamed(name, name, holds)
}

const fn renamed(name: &'static str, property: &'static str, holds: Holds) -> Field {
    Field {
        name,
        property,
        holds,
        always: false,
    }
}

const fn always(name: &'static str) -> Field {
    Field {
        always: true,
        ..field(name, Holds::Text)
    }
}

/// A list of the file.
pub struct Section {
    /// `clusters`
    pub plural: &'static str,
    /// `cluster`: the key of an entry's fields.
    pub singular: &'static str,
    /// The Go struct of an entry, as messages name it.
    named: &'static str,
    /// In Go's order.
    pub fields: &'static [Field],
}

use Holds::{Bool, Bytes, Map as Free, Struct, Text, Texts};

pub const CLUSTERS: Section = Section {
    plural: "clusters",
    singular: "cluster",
    named: "NamedCluster",
    fields: &[
        always("server"),
        field("tls-server-name", Text),
        field("insecure-skip-tls-verify", Bool),
        field("certificate-authority", Text),
        field("certificate-authority-data", Bytes),
        field("proxy-url", Text),
        field("disable-compression", Bool),
        field("extensions", Free),
    ],
};

pub const USERS: Section = Section {
    plural: "users",
    singular: "user",
    named: "NamedAuthInfo",
    fields: &[
        field("client-certificate", Text),
        field("client-certificate-data", Bytes),
        field("client-key", Text),
        field("client-key-data", Bytes),
        field("token", Text),
        field("tokenFile", Text),
        renamed("as", "act-as", Text),
        renamed("as-uid", "act-as-uid", Text),
        renamed("as-groups", "act-as-groups", Texts),
        renamed("as-user-extra", "act-as-user-extra", Free),
        field("username", Text),
        field("password", Text),
        field("auth-provider", Struct),
        field("exec", Struct),
        field("extensions", Free),
    ],
};

pub const CONTEXTS: Section = Section {
    plural: "contexts",
    singular: "context",
    named: "NamedContext",
    fields: &[
        always("cluster"),
        always("user"),
        field("namespace", Text),
        field("extensions", Free),
    ],
};

/// A kubeconfig as kubectl holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kubeconfig {
    pub clusters: Entries,
    pub users: Entries,
    pub contexts: Entries,
    pub current_context: String,
    pub preferences: Entry,
}

/// A text of an entry; empty when it has none.
pub fn text<'a>(entry: &'a Entry, field: &str) -> &'a str {
    entry.get(field).and_then(Value::as_str).unwrap_or("")
}

/// Writes a text, or takes the field away when the text is empty.
pub fn set_text(entry: &mut Entry, field: &str, value: &str) {
    match value {
        "" => drop(entry.remove(field)),
        _ => drop(entry.insert(field.to_owned(), value.into())),
    }
}

impl Kubeconfig {
    /// Reads a file's text.
    /// # Errors
    /// What client-go says behind `error loading config file "…": `.
    pub fn read(text: &str) -> Result<Kubeconfig, String> {
        let file = yaml::read_one(text).map_err(|error| error.go_text())?.value;
        if file.is_null() {
            return Ok(Kubeconfig::default());
        }
        let top = |name: &str| file.get(name).and_then(Value::as_str).unwrap_or("");
        if !matches!((top("apiVersion"), top("kind")), ("v1" | "", "Config" | "")) {
            return Err(format!(
                "no kind {:?} is registered for version {:?} in scheme \"k8s.io/client-go/tools/clientcmd/api/latest/latest.go:50\"",
                top("kind"),
                top("apiVersion")
            ));
        }
        let mut preferences = Entry::new();
        if let Some(colors) = file["preferences"]["colors"].as_bool().filter(|on| *on) {
            preferences.insert("colors".to_owned(), colors.into());
        }
        Ok(Kubeconfig {
            clusters: CLUSTERS.read(&file)?,
            users: USERS.read(&file)?,
            contexts: CONTEXTS.read(&file)?,
            current_context: top("current-context").to_owned(),
            preferences,
        })
    }

    /// The file's content.
    pub fn value(&self) -> Value {
        json!({"apiVersion": "v1", "kind": "Config", "current-context": self.current_context, "preferences": self.preferences,
            "clusters": CLUSTERS.value(&self.clusters), "users": USERS.value(&self.users), "contexts": CONTEXTS.value(&self.contexts)})
    }

    /// The entries a section has.
    pub fn entries(&mut self, section: &Section) -> &mut Entries {
        match section.plural {
            "clusters" => &mut self.clusters,
            "users" => &mut self.users,
            _ => &mut self.contexts,
        }
    }

    /// The current context's namespace.
    pub fn namespace(&self) -> &str {
        match self
            .contexts
            .get(&self.current_context)
            .map(|c| text(c, "namespace"))
        {
            Some("") | None => "default",
            Some(name) => name,
        }
    }

    /// The current context's token; empty without one.
    pub fn token(&self) -> &str {
        let user = self.contexts.get(&self.current_context).map(|c| text(c, "user"));
        let user = user.and_then(|name| self.users.get(name));
        user.map_or("", |user| text(user, "token"))
    }
}

impl Section {
    pub fn field(&self, property: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.property == property)
    }

    fn read(&self, file: &Value) -> Result<Entries, String> {
        let mut entries = Entries::new();
        let wrong = |value: &Value, place: &str, wanted: &str| {
            format!(
                "json: cannot unmarshal {} into Go struct field {place} of type {wanted}",
                json_kind(value)
            )
        };
        let list = match &file[self.plural] {
            Value::Null => return Ok(entries),
            Value::Array(list) => list,
            other => {
                let wanted = format!("[]v1.{}", self.named);
                return Err(wrong(other, &format!("Config.{}", self.plural), &wanted));
            }
        };
        for given in list {
            let name = given["name"].as_str().unwrap_or("");
            let mut entry = Entry::new();
            for field in self.fields {
                let value = match given[self.singular].get(field.name) {
                    Some(value) if !value.is_null() => value,
                    _ => continue,
                };
                let place = || format!("Config.{}.{}.{}", self.plural, self.singular, field.name);
                match field.holds {
                    Text | Bytes if !value.is_string() => return Err(wrong(value, &place(), "string")),
                    Bool if !value.is_boolean() => return Err(wrong(value, &place(), "bool")),
                    Bytes => crate::api::decode::check_base64(value.as_str().unwrap_or(""))
                        .map_err(|at| format!("illegal base64 data at input byte {at}"))?,
                    _ => {}
                }
                let is_empty = matches!(value, Value::Bool(false)) || value.as_str() == Some("");
                if !is_empty {
                    entry.insert(field.name.to_owned(), value.clone());
                }
            }
            if let Some(exec) = entry.get_mut("exec").and_then(Value::as_object_mut) {
                complete_exec(exec);
            }
            if entries.insert(name.to_owned(), entry).is_some() {
                return Err(format!(
                    "error converting *[]{0} into *map[string]*api.{1}: duplicate name {name:?} in list: {2}",
                    self.named,
                    &self.named["Named".len()..],
                    Value::Array(list.clone())
                ));
            }
        }
        Ok(entries)
    }

    fn value(&self, entries: &Entries) -> Value {
        if entries.is_empty() {
            return Value::Null;
        }
        let named = entries.iter().map(|(name, entry)| {
            let mut entry = entry.clone();
            for field in self.fields.iter().filter(|field| field.always) {
                entry.entry(field.name).or_insert_with(|| "".into());
            }
            json!({"name": name, self.singular: entry})
        });
        Value::Array(named.collect())
    }
}

/// The fields Go's struct writes also when they are empty, and the mode that two of its versions have.
fn complete_exec(exec: &mut Entry) {
    for name in ["args", "env"] {
        exec.entry(name).or_insert(Value::Null);
    }
    exec.entry("command").or_insert_with(|| "".into());
    exec.entry("provideClusterInfo").or_insert(Value::Bool(false));
    let version = text(exec, "apiVersion");
    if version.ends_with("/v1beta1") || version.ends_with("/v1alpha1") {
        exec.entry("interactiveMode")
            .or_insert_with(|| "IfAvailable".into());
    }
}

impl Session {
    /// The kubeconfig that commands go by when they are told nothing else; an empty one where it is
    /// missing or unreadable.
    pub fn kubeconfig(&self) -> Kubeconfig {
        let path = self.variables.get("KUBECONFIG").map_or(PATH, String::as_str);
        self.file(path)
            .and_then(|text| Kubeconfig::read(text).ok())
            .unwrap_or_default()
    }
}
