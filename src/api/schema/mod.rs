//! The generated schema table: what Go's types know and `k8s-openapi`'s do not carry.
//!
//! `types.txt` (written by `generate.py`, embedded, parsed at first use) has a line per struct and,
//! below it, a line per field: name, type, flags. Types: `s` string, `i` int32, `l` int64, `b` bool,
//! `d` double, `S` IntOrString, `q` Quantity, `t` Time, `m` MicroTime, `y` bytes, `r` RawExtension,
//! `f` FieldsV1, a struct's name, `[]` list of, `{}` map of; after a colon stands Go's own name of a
//! scalar or map type. Flags: `!` required, `merge[=key]` strategic merge patch, `retainKeys`,
//! `keys=a,b` and `set` (server-side apply), `atomic`, `default=x` (of a list key), `plain` (a struct that
//! Go writes even when it holds nothing), `ptr` (kept even when it is zero).

mod docs;
pub mod go_json;
pub mod go_print;
#[cfg(not(target_arch = "wasm32"))]
pub mod proto;

use crate::api::sorted::SortedMap;
pub use docs::{Docs, docs, docs_loaded, load_docs};

use crate::api::kind::Kind;
use crate::for_each_kind;
use serde_json::Value;
use std::sync::OnceLock;

static TEXT: &str = include_str!("types.txt");

/// A Go struct.
#[derive(Debug)]
pub struct Type {
    /// `core/v1`
    pub package: &'static str,
    /// `Container`
    pub name: &'static str,
    /// Server-side apply owns it as a whole.
    pub atomic: bool,
    /// Sorted by name.
    pub fields: Vec<Field>,
    /// Required times: Go has a zero time, the typed decoder has none.
    pub(super) times: Vec<(&'static str, Ty)>,
}

/// A field of a Go struct.
#[derive(Debug)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    pub ty: Ty,
    /// Go's name of the scalar (`v1.PullPolicy`) or map (`v1.ResourceList`) when it has one.
    go: Option<String>,
    pub required: bool,
    /// Strategic merge patch: a list is merged, by [`Field::merge_key`] or, without one, as a set of scalars.
    pub merge: bool,
    pub merge_key: Option<&'static str>,
    /// Strategic merge patch: keys absent from the patch are cleared (`$retainKeys`).
    pub retain_keys: bool,
    /// Server-side apply: the keys of an associative list; empty for other lists.
    pub list_keys: Vec<&'static str>,
    /// Server-side apply: a list of scalars that is a set.
    pub set: bool,
    /// Server-side apply: a map that is owned as a whole.
    pub atomic: bool,
    /// A struct (a time is one) without a pointer, or a scalar without omitempty: there even when it holds nothing.
    pub plain: bool,
    /// An optional scalar, list or map that Go drops when it is zero or empty.
    pub drops_zero: bool,
    /// The value a list key has when it is absent (`protocol`: `TCP`).
    pub key_default: Option<&'static str>,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ty {
    String,
    Int32,
    Int64,
    Bool,
    Double,
    IntOrString,
    Quantity,
    Time,
    MicroTime,
    /// base64 in JSON
    Bytes,
    /// Any JSON: `runtime.RawExtension`.
    Raw,
    /// Any JSON: `metav1.FieldsV1`.
    FieldsV1,
    Struct(TypeId),
    List(Box<Ty>),
    Map(Box<Ty>),
}

/// A struct's place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeId(u16);

impl TypeId {
    pub fn get(self) -> &'static Type {
        &table().types[usize::from(self.0)]
    }
}

impl Type {
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields
            .binary_search_by(|f| f.name.cmp(name))
            .ok()
            .map(|at| &self.fields[at])
    }

    /// `v1.Container`
    pub fn go_name(&self) -> String {
        format!("{}.{}", go_package(self.package), self.name)
    }
}

impl Field {
    /// Whether Go would leave the field out with this value.
    pub fn is_dropped(&self, value: &Value) -> bool {
        self.drops_zero
            && match value {
                Value::Null => true,
                Value::Bool(value) => !value,
                Value::Number(number) => number.as_f64() == Some(0.0),
                Value::String(text) => text.is_empty(),
                Value::Array(items) => items.is_empty(),
                Value::Object(map) => map.is_empty(),
            }
    }

    /// Go's name of the field's type, or of what is below `unwrapped` lists and maps of it:
    /// `[]v1.Container`, `map[string]string`, `v1.PullPolicy`, `int32`.
    pub fn go_type(&self, unwrapped: usize) -> String {
        let mut ty = &self.ty;
        for _ in 0..unwrapped {
            match ty {
                Ty::List(inner) | Ty::Map(inner) => ty = inner,
                _ => break,
            }
        }
        self.go_text(ty)
    }

    fn go_text(&self, ty: &Ty) -> String {
        match ty {
            Ty::List(inner) => format!("[]{}", self.go_text(inner)),
            Ty::Map(inner) if matches!(**inner, Ty::Quantity) => self
                .go
                .clone()
                .unwrap_or_else(|| "map[string]resource.Quantity".to_owned()),
            Ty::Map(inner) => format!("map[string]{}", self.go_text(inner)),
            Ty::Struct(id) => id.get().go_name(),
            Ty::String => self.go.clone().unwrap_or_else(|| "string".to_owned()),
            Ty::Int32 => "int32".to_owned(),
            Ty::Int64 => "int64".to_owned(),
            Ty::Bool => "bool".to_owned(),
            Ty::Double => "float64".to_owned(),
            Ty::IntOrString => "intstr.IntOrString".to_owned(),
            Ty::Quantity => "resource.Quantity".to_owned(),
            Ty::Time => "v1.Time".to_owned(),
            Ty::MicroTime => "v1.MicroTime".to_owned(),
            Ty::Bytes => "[]uint8".to_owned(),
            Ty::Raw => "runtime.RawExtension".to_owned(),
            Ty::FieldsV1 => "v1.FieldsV1".to_owned(),
        }
    }
}

impl Ty {
    /// The struct at the bottom of lists and maps, if there is one.
    pub fn base_struct(&self) -> Option<&'static Type> {
        match self {
            Ty::List(inner) | Ty::Map(inner) => inner.base_struct(),
            Ty::Struct(id) => Some(id.get()),
            _ => None,
        }
    }

    /// The type as `kubectl explain` names it: `[]Container`, `map[string]string`, `integer`.
    pub fn explain_name(&self) -> String {
        match self {
            Ty::List(inner) => format!("[]{}", inner.explain_name()),
            Ty::Map(inner) => format!("map[string]{}", inner.explain_name()),
            Ty::Struct(id) => id.get().name.to_owned(),
            Ty::String | Ty::Bytes => "string".to_owned(),
            Ty::Int32 | Ty::Int64 => "integer".to_owned(),
            Ty::Bool => "boolean".to_owned(),
            Ty::Double => "number".to_owned(),
            Ty::IntOrString => "IntOrString".to_owned(),
            Ty::Quantity => "Quantity".to_owned(),
            Ty::Time => "Time".to_owned(),
            Ty::MicroTime => "MicroTime".to_owned(),
            Ty::Raw => "RawExtension".to_owned(),
            Ty::FieldsV1 => "FieldsV1".to_owned(),
        }
    }
}

fn go_package(package: &str) -> &str {
    package.rsplit('/').next().unwrap_or(package)
}

struct Table {
    types: Vec<Type>,
    /// By `core/v1.Container`.
    by_name: SortedMap<String, TypeId>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| parse(TEXT))
}

macro_rules! define_names {
    ($($variant:ident: $group:ident::$version:ident::$type:ident, $plural:ident, [$($short:literal),*], $namespaced:literal,
       [$($category:literal),*], [$($sub:literal),*];)*) => {
        static KIND_TYPES: &[&str] = &[$(concat!(stringify!($group), "/", stringify!($version), ".", stringify!($type))),*];
    };
}
for_each_kind!(define_names);

/// The struct of a stored kind.
pub fn of(kind: Kind) -> &'static Type {
    static IDS: OnceLock<Vec<&'static Type>> = OnceLock::new();
    let ids = IDS.get_or_init(|| {
        KIND_TYPES
            .iter()
            .map(|name| named(name).unwrap_or(&EMPTY))
            .collect()
    });
    ids[kind as usize]
}

/// Whether a struct is a stored kind's.
pub fn is_kind(ty: &Type) -> bool {
    Kind::ALL.iter().any(|&kind| std::ptr::eq(of(kind), ty))
}

/// The struct with that name: `core/v1.Container`, `policy/v1.Eviction`.
pub fn named(name: &str) -> Option<&'static Type> {
    table().by_name.get(name).map(|id| id.get())
}

/// Every struct, sorted by package and name.
pub fn all() -> &'static [Type] {
    &table().types
}

static EMPTY: Type = Type {
    package: "",
    name: "",
    atomic: false,
    fields: Vec::new(),
    times: Vec::new(),
};

/// Follows a path of field names as `kubectl explain` takes them (`["spec", "containers"]`): lists and maps
/// are seen through. Gives the last field and the struct it stands in.
pub fn lookup<'a>(
    root: &'static Type,
    path: impl IntoIterator<Item = &'a str>,
) -> Option<(&'static Type, &'static Field)> {
    let mut here = Some(root);
    let mut found = None;
    for name in path {
        let ty = here?;
        let field = ty.field(name)?;
        found = Some((ty, field));
        here = field.ty.base_struct();
    }
    found
}

fn parse(text: &'static str) -> Table {
    let mut by_name = SortedMap::new();
    let mut package = "";
    let mut count = 0u16;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('@') {
            package = name;
        } else if !line.starts_with(' ') {
            let name = line.split(' ').next().unwrap_or("");
            by_name.insert(format!("{package}.{name}"), TypeId(count));
            count += 1;
        }
    }
    let mut types: Vec<Type> = Vec::with_capacity(usize::from(count));
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('@') {
            package = name;
        } else if let Some(field) = line.strip_prefix(' ') {
            if let (Some(ty), Some(field)) = (types.last_mut(), parse_field(field, package, &by_name)) {
                if field.required && matches!(field.ty, Ty::Time | Ty::MicroTime) {
                    ty.times.push((field.name, field.ty.clone()));
                }
                ty.fields.push(field);
            }
        } else {
            let mut words = line.split(' ');
            let name = words.next().unwrap_or("");
            types.push(Type {
                package,
                name,
                atomic: words.next() == Some("atomic"),
                fields: Vec::new(),
                times: Vec::new(),
            });
        }
    }
    Table { types, by_name }
}

fn parse_field(line: &'static str, package: &str, by_name: &SortedMap<String, TypeId>) -> Option<Field> {
    let mut words = line.split(' ');
    let name = words.next()?;
    let (ty, go) = match words.next()?.split_once(':') {
        Some((ty, go)) => (ty, Some(go)),
        None => (line.split(' ').nth(1)?, None),
    };
    let mut field = Field {
        name,
        ty: parse_type(ty, package, by_name)?,
        go: go.map(|go| {
            if go.contains('.') {
                go.to_owned()
            } else {
                format!("{}.{go}", go_package(package))
            }
        }),
        required: false,
        merge: false,
        merge_key: None,
        retain_keys: false,
        list_keys: Vec::new(),
        set: false,
        atomic: false,
        plain: false,
        drops_zero: true,
        key_default: None,
    };
    // `ResourceList` is a core type wherever it is used.
    if matches!(&field.ty, Ty::Map(inner) if **inner == Ty::Quantity) && field.go.is_some() {
        field.go = Some("v1.ResourceList".to_owned());
    }
    for flag in words {
        match flag.split_once('=').unwrap_or((flag, "")) {
            ("!", _) => field.required = true,
            ("merge", key) => {
                field.merge = true;
                field.merge_key = Some(key).filter(|key| !key.is_empty());
            }
            ("retainKeys", _) => field.retain_keys = true,
            ("keys", keys) => field.list_keys = keys.split(',').collect(),
            ("set", _) => field.set = true,
            ("atomic", _) => field.atomic = true,
            ("ptr", _) => field.drops_zero = false,
            ("plain", _) => field.plain = true,
            ("default", value) => field.key_default = Some(value),
            _ => return None,
        }
    }
    let drops = matches!(
        field.ty,
        Ty::String | Ty::Int32 | Ty::Int64 | Ty::Bool | Ty::Double | Ty::Bytes | Ty::List(_) | Ty::Map(_)
    );
    field.drops_zero &= drops && !field.required;
    Some(field)
}

fn parse_type(text: &str, package: &str, by_name: &SortedMap<String, TypeId>) -> Option<Ty> {
    if let Some(inner) = text.strip_prefix("[]") {
        return Some(Ty::List(Box::new(parse_type(inner, package, by_name)?)));
    }
    if let Some(inner) = text.strip_prefix("{}") {
        return Some(Ty::Map(Box::new(parse_type(inner, package, by_name)?)));
    }
    Some(match text {
        "s" => Ty::String,
        "i" => Ty::Int32,
        "l" => Ty::Int64,
        "b" => Ty::Bool,
        "d" => Ty::Double,
        "S" => Ty::IntOrString,
        "q" => Ty::Quantity,
        "t" => Ty::Time,
        "m" => Ty::MicroTime,
        "y" => Ty::Bytes,
        "r" => Ty::Raw,
        "f" => Ty::FieldsV1,
        name if name.contains('.') => Ty::Struct(*by_name.get(name)?),
        name => Ty::Struct(*by_name.get(&format!("{package}.{name}"))?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood() {
        let fields = TEXT.lines().filter(|line| line.starts_with(' ')).count();
        assert_eq!(all().iter().map(|ty| ty.fields.len()).sum::<usize>(), fields);
        for ty in all() {
            assert!(ty.fields.is_sorted_by_key(|f| f.name), "{}", ty.name);
        }
    }

    #[test]
    fn kinds_and_facts() {
        for &kind in Kind::ALL {
            assert_eq!(of(kind).name, kind.name());
            assert!(of(kind).field("metadata").is_some());
        }
        let (ty, containers) =
            lookup(of(Kind::Deployment), ["spec", "template", "spec", "containers"]).unwrap();
        assert_eq!(
            (
                ty.name,
                containers.go_type(0).as_str(),
                containers.go_type(1).as_str()
            ),
            ("PodSpec", "[]v1.Container", "v1.Container")
        );
        assert_eq!((containers.required, containers.merge_key), (true, Some("name")));
        let container = containers.ty.base_struct().unwrap();
        let ports = container.field("ports").unwrap();
        assert_eq!(
            (ports.merge_key, ports.list_keys.as_slice()),
            (Some("containerPort"), ["containerPort", "protocol"].as_slice())
        );
        assert_eq!(
            container.field("imagePullPolicy").unwrap().go_type(0),
            "v1.PullPolicy"
        );
        let (_, limits) = lookup(of(Kind::Pod), ["spec", "containers", "resources", "limits"]).unwrap();
        assert_eq!(
            (limits.go_type(0).as_str(), limits.go_type(1).as_str()),
            ("v1.ResourceList", "resource.Quantity")
        );
        assert_eq!(limits.ty.explain_name(), "map[string]Quantity");
        assert!(named("meta/v1.LabelSelector").unwrap().atomic);
        assert!(named("policy/v1.Eviction").is_some());
    }
}
