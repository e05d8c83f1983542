//! What may stand at the cursor, from the schema table, and what a field is for.

use super::check::refusals;
use super::cursor::{Cursor, Slot};
use crate::api::Kind;
use crate::api::schema::{self, Docs, Field, Ty, Type};
use crate::apiserver::ApiServer;
use crate::sim::SimTime;

/// What may stand at a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// Where the word that is replaced begins and ends, in bytes.
    pub from: usize,
    pub to: usize,
    pub offers: Vec<Offer>,
}

/// A word that may stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub label: String,
    /// Its type, as `kubectl explain` names it.
    pub detail: String,
    /// What it is for; empty where that is not known.
    pub docs: String,
    /// What is written when it is chosen.
    pub text: String,
    pub required: bool,
}

/// What a field is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    pub from: usize,
    pub to: usize,
    /// `spec.containers.image <string>`, a `-required-` behind it, and the documentation below.
    pub text: String,
}

/// A word no field takes: what the API server would have taken instead is in its refusal.
const PROBE: &str = "kubernetes.io/no-such-value";

/// What may stand at an offset of a text, in bytes.
pub fn complete(api: &ApiServer, now: SimTime, text: &str, offset: usize, docs: &Docs) -> Option<Offers> {
    let cursor = Cursor::at(text, offset)?;
    let offers = match &cursor.slot {
        Slot::Key => keys(&cursor, docs),
        Slot::Item => match field_at(&cursor, None) {
            // An item that is a mapping begins with one of its keys.
            Some((_, field)) if item(&field.ty).is_some_and(|ty| ty.base_struct().is_some()) => {
                if cursor.flow {
                    return None;
                }
                keys(&cursor, docs)
            }
            Some((_, field)) => values(api, now, text, &cursor, field, docs),
            None => Vec::new(),
        },
        Slot::Value(key) if cursor.path.is_empty() && key == "kind" => kinds(&cursor.api_version),
        Slot::Value(key) if cursor.path.is_empty() && key == "apiVersion" => versions(&cursor.kind),
        Slot::Value(key) => match field_at(&cursor, Some(key)) {
            Some((_, field)) => values(api, now, text, &cursor, field, docs),
            None => Vec::new(),
        },
    };
    (!offers.is_empty()).then_some(Offers {
        from: cursor.from,
        to: cursor.to,
        offers,
    })
}

/// What the field under an offset is for.
pub fn hover(text: &str, offset: usize, docs: &Docs) -> Option<Hover> {
    let cursor = Cursor::at(text, offset)?;
    let key = match &cursor.slot {
        Slot::Key if !cursor.word.is_empty() => Some(cursor.word.as_str()),
        Slot::Value(key) => Some(key.as_str()),
        _ => None,
    };
    let (ty, field) = field_at(&cursor, key)?;
    let path: Vec<&str> = cursor.path.iter().map(String::as_str).chain(key).collect();
    let required = if field.required { " -required-" } else { "" };
    let mut text = format!("{} <{}>{required}", path.join("."), field.ty.explain_name());
    let own = docs.description(ty, field);
    if !own.is_empty() {
        text.push_str("\n\n");
        text.push_str(&own);
    }
    Some(Hover {
        from: cursor.from,
        to: cursor.to,
        text,
    })
}

fn kind_of(cursor: &Cursor) -> Option<Kind> {
    Kind::by_api_version(&cursor.api_version, &cursor.kind)
}

/// The field at the cursor's path, or at a key below it, and the struct it stands in.
fn field_at(cursor: &Cursor, key: Option<&str>) -> Option<(&'static Type, &'static Field)> {
    let path = cursor.path.iter().map(String::as_str).chain(key);
    schema::lookup(schema::of(kind_of(cursor)?), path)
}

/// What a list holds.
fn item(ty: &'static Ty) -> Option<&'static Ty> {
    match ty {
        Ty::List(inner) => Some(inner),
        _ => None,
    }
}

fn keys(cursor: &Cursor, docs: &Docs) -> Vec<Offer> {
    let Some(kind) = kind_of(cursor) else {
        return if cursor.path.is_empty() {
            ["apiVersion", "kind", "metadata"]
                .into_iter()
                .filter(|key| !cursor.siblings.iter().any(|known| known == key))
                .map(|key| plain(key, if key == "metadata" { "metadata:\n  " } else { "" }, ": "))
                .collect()
        } else {
            Vec::new()
        };
    };
    let ty = if cursor.path.is_empty() {
        schema::of(kind)
    } else {
        match field_at(cursor, None).map(|(_, field)| &field.ty) {
            // The keys of a map of scalars are the writer's own, but for resources.
            Some(Ty::Map(inner)) if matches!(**inner, Ty::Quantity) => {
                return ["cpu", "memory", "ephemeral-storage"]
                    .into_iter()
                    .filter(|key| !cursor.siblings.iter().any(|known| known == key))
                    .map(|key| plain(key, "", ": "))
                    .collect();
            }
            Some(ty) => match ty.base_struct() {
                Some(ty) => ty,
                None => return Vec::new(),
            },
            None => return Vec::new(),
        }
    };
    let indent = " ".repeat(cursor.column);
    ty.fields
        .iter()
        .filter(|field| !cursor.siblings.iter().any(|known| known == field.name))
        // The API server's to write.
        .filter(|field| !(cursor.path.is_empty() && field.name == "status"))
        .filter(|field| !(ty.name == "ObjectMeta" && SERVERS_OWN.contains(&field.name)))
        .map(|field| Offer {
            label: field.name.to_owned(),
            detail: field.ty.explain_name(),
            docs: docs.description(ty, field),
            text: match &field.ty {
                _ if cursor.flow => format!("{}: ", field.name),
                Ty::List(_) => format!("{}:\n{indent}- ", field.name),
                Ty::Map(_) | Ty::Struct(_) => format!("{}:\n{indent}  ", field.name),
                _ => format!("{}: ", field.name),
            },
            required: field.required,
        })
        .collect()
}

/// Fields of the metadata that no manifest sets.
const SERVERS_OWN: [&str; 8] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

fn plain(label: &str, text: &str, end: &str) -> Offer {
    Offer {
        label: label.to_owned(),
        detail: String::new(),
        docs: String::new(),
        text: if text.is_empty() {
            format!("{label}{end}")
        } else {
            text.to_owned()
        },
        required: false,
    }
}

fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Vec<Offer> {
    words.into_iter().map(|word| plain(word, "", "")).collect()
}

fn kinds(api_version: &str) -> Vec<Offer> {
    let fits = |kind: &&Kind| api_version.is_empty() || kind.info().api_version() == api_version;
    words(Kind::ALL.iter().filter(fits).map(|kind| kind.info().name))
}

fn versions(kind: &str) -> Vec<Offer> {
    let fits = |known: &&Kind| kind.is_empty() || known.info().name == kind;
    let mut versions: Vec<String> = Kind::ALL
        .iter()
        .filter(fits)
        .map(|kind| kind.info().api_version())
        .collect();
    versions.dedup();
    words(versions.iter().map(String::as_str))
}

fn values(
    api: &ApiServer,
    now: SimTime,
    text: &str,
    cursor: &Cursor,
    field: &'static Field,
    docs: &Docs,
) -> Vec<Offer> {
    let ty = match cursor.slot {
        Slot::Item => item(&field.ty).unwrap_or(&field.ty),
        _ => &field.ty,
    };
    match ty {
        Ty::Bool => words(["false", "true"]),
        Ty::String => {
            let mut offers = words(supported(api, now, text, cursor).iter().map(String::as_str));
            if offers.is_empty() {
                offers = words(
                    docs.values(field)
                        .map(|(value, _)| value)
                        .filter(|v| !v.is_empty()),
                );
            }
            for offer in &mut offers {
                let known = docs.values(field).find(|(value, _)| *value == offer.label);
                offer.docs = known.map_or("", |(_, meaning)| meaning).to_owned();
            }
            offers
        }
        _ => Vec::new(),
    }
}

/// The values the API server takes at the cursor, as it names them when it refuses another one. A new
/// object is asked about, so that what cannot be changed any more does not stand in the way.
fn supported(api: &ApiServer, now: SimTime, text: &str, cursor: &Cursor) -> Vec<String> {
    let Some((before, after)) = text.get(..cursor.from).zip(text.get(cursor.to..)) else {
        return Vec::new();
    };
    let probed = format!("{before}{PROBE}{after}");
    let refused = format!("Unsupported value: \"{PROBE}\": supported values: ");
    let Some(list) = refusals(api, now, &probed)
        .into_iter()
        .find_map(|message| Some(message.split_once(&refused)?.1.to_owned()))
    else {
        return Vec::new();
    };
    list.split(", ")
        .map(|word| word.trim_matches('"').to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apiserver::Config;

    /// What is offered at `|`.
    fn offers(text: &str) -> Vec<Offer> {
        let api = ApiServer::new(Config::default());
        let offset = text.find('|').unwrap();
        complete(
            &api,
            SimTime::ZERO,
            &text.replacen('|', "", 1),
            offset,
            schema::docs(),
        )
        .map(|found| found.offers)
        .unwrap_or_default()
    }

    fn labels(text: &str) -> Vec<String> {
        offers(text).into_iter().map(|offer| offer.label).collect()
    }

    const POD: &str =
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: c\n    image: i\n";

    #[test]
    fn fields_by_their_path() {
        assert_eq!(labels("|"), ["apiVersion", "kind", "metadata"]);
        let root = labels("apiVersion: apps/v1\nkind: Deployment\n|");
        assert_eq!(root, ["metadata", "spec"]);
        let container = offers(&format!("{POD}    |"));
        let label = |name: &str| container.iter().find(|offer| offer.label == name);
        assert!(label("image").is_none(), "it is there already");
        let ports = label("ports").unwrap();
        assert_eq!(
            (ports.detail.as_str(), ports.text.as_str()),
            ("[]ContainerPort", "ports:\n    - ")
        );
        assert!(ports.docs.starts_with("List of ports to expose"));
        assert_eq!(label("resources").unwrap().text, "resources:\n      ");
        assert_eq!(
            labels(&format!("{POD}    resources:\n      limits:\n        |")),
            ["cpu", "memory", "ephemeral-storage"]
        );
        assert!(labels(&format!("{POD}    ports:\n    - |")).contains(&"containerPort".to_owned()));
        assert!(labels("apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    |").is_empty());
        assert!(labels("apiVersion: v1\nkind: Pony\nspec:\n  |").is_empty());
    }

    #[test]
    fn values_as_the_api_server_names_them() {
        assert_eq!(
            labels(&format!("{POD}    imagePullPolicy: |\n")),
            ["Always", "IfNotPresent", "Never"]
        );
        assert_eq!(
            labels(&format!("{POD}  restartPolicy: Alw|ays\n")),
            ["Always", "OnFailure", "Never"]
        );
        assert_eq!(
            offers(&format!("{POD}    imagePullPolicy: |\n"))[2].docs,
            "means that kubelet never pulls an image, but only uses a local image. Container will fail if the image isn't present"
        );
        // The API server does not come to the value: those that the schema names.
        assert_eq!(
            labels(&format!("{POD}  hostNetwork: perhaps\n  restartPolicy: |\n")),
            ["Always", "Never", "OnFailure"]
        );
        assert_eq!(labels(&format!("{POD}  hostNetwork: |\n")), ["false", "true"]);
        assert!(labels("apiVersion: apps/v1\nkind: |\n").contains(&"StatefulSet".to_owned()));
        assert!(!labels("apiVersion: apps/v1\nkind: |\n").contains(&"Pod".to_owned()));
        assert_eq!(labels("apiVersion: |\nkind: Job\n"), ["batch/v1"]);
        assert!(labels(&format!("{POD}  nodeName: |\n")).is_empty());
        let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: a\nspec:\n  resources:\n    requests:\n      storage: 1Gi\n  accessModes:\n  - |\n";
        assert!(
            labels(claim).contains(&"ReadWriteOnce".to_owned()),
            "{:?}",
            labels(claim)
        );
    }

    #[test]
    fn within_brackets_as_outside() {
        let pod = |spec: &str| format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {spec}\n");
        let container = offers(&pod("{containers: [{name: c, |}]}"));
        let label = |name: &str| container.iter().find(|offer| offer.label == name);
        assert!(label("name").is_none(), "it is there already");
        assert_eq!(label("ports").unwrap().text, "ports: ");
        assert_eq!(
            labels(&pod("{restartPolicy: |, containers: [{name: c, image: i}]}")),
            ["Always", "OnFailure", "Never"]
        );
        assert_eq!(labels(&pod("{hostNetwork: |")), ["false", "true"]);
        let json = "{\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"spec\": {\"str|\"}}";
        assert!(labels(json).contains(&"strategy".to_owned()));
        assert!(
            labels(&pod("{containers: [|]}")).is_empty(),
            "an item begins with a brace"
        );
    }

    #[test]
    fn what_a_field_is_for() {
        let hover = |text: &str| {
            let offset = text.find('|').unwrap();
            hover(&text.replacen('|', "", 1), offset, schema::docs()).map(|hover| hover.text)
        };
        let image = hover(&POD.replace("image", "im|age")).unwrap();
        assert!(
            image.starts_with("spec.containers.image <string>\n\nContainer image name."),
            "{image}"
        );
        let value = hover(&POD.replace(": i\n", ": |i\n")).unwrap();
        assert_eq!(value, image);
        let containers = hover(&POD.replace("containers", "|containers")).unwrap();
        assert!(
            containers.starts_with("spec.containers <[]Container> -required-\n\n"),
            "{containers}"
        );
        let policy = hover(&format!("{POD}  restart|Policy: Always\n")).unwrap();
        assert!(
            policy.ends_with("\n - `\"Never\"`\n - `\"OnFailure\"`"),
            "{policy}"
        );
        assert_eq!(hover(&format!("{POD}  nonsense|: 1\n")), None);
    }
}
