//! One enum over all stored kinds; each variant shares its typed object through an `Arc`.

use super::codec::{self, Encode};
use super::decode::{FieldValidation, decode};
use super::kind::Kind;
use super::status::Status;
use super::wire;
use crate::for_each_kind;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;
use std::sync::Arc;

/// A typed Kubernetes object of a stored kind.
pub trait Resource: k8s_openapi::Metadata<Ty = ObjectMeta> + Clone + Default + PartialEq + 'static {
    const OF_KIND: Kind;
    fn into_object(self: Arc<Self>) -> Object;
    fn from_object(object: &Object) -> Option<&Arc<Self>>;
}

macro_rules! define_object {
    ($($variant:ident: $group:ident::$version:ident::$type:ident, $plural:ident, [$($short:literal),*], $namespaced:literal,
       [$($category:literal),*], [$($sub:literal),*];)*) => {
        /// An object of any stored kind. Cloning shares; changing goes through [`Object::meta_mut`]
        /// or `Arc::make_mut`, which copy when shared.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Object { $($variant(Arc<k8s_openapi::api::$group::$version::$type>)),* }

        $(impl Resource for k8s_openapi::api::$group::$version::$type {
            const OF_KIND: Kind = Kind::$variant;
            fn into_object(self: Arc<Self>) -> Object { Object::$variant(self) }
            fn from_object(object: &Object) -> Option<&Arc<Self>> {
                match object { Object::$variant(inner) => Some(inner), _ => None }
            }
        }
        impl From<k8s_openapi::api::$group::$version::$type> for Object {
            fn from(inner: k8s_openapi::api::$group::$version::$type) -> Object { Object::$variant(Arc::new(inner)) }
        }
        impl From<Arc<k8s_openapi::api::$group::$version::$type>> for Object {
            fn from(inner: Arc<k8s_openapi::api::$group::$version::$type>) -> Object { Object::$variant(inner) }
        })*

        impl Object {
            pub fn kind(&self) -> Kind {
                match self { $(Object::$variant(_) => Kind::$variant),* }
            }

            pub fn meta(&self) -> &ObjectMeta {
                match self { $(Object::$variant(inner) => &inner.metadata),* }
            }

            /// The metadata for changing; copies the object first if it is shared.
            pub fn meta_mut(&mut self) -> &mut ObjectMeta {
                match self { $(Object::$variant(inner) => meta_mut(inner)),* }
            }

            /// Decodes what the schema walk has found to fit; see `codec`.
            pub(super) fn decode_checked(kind: Kind, value: Value) -> Object {
                match kind { $(Kind::$variant => Object::$variant(decoded(value))),* }
            }

            fn encode(&self, writer: &mut wire::Writer) {
                match self { $(Object::$variant(inner) => encode(&**inner, writer)),* }
            }

            /// True when both are the same allocation.
            pub fn same(&self, other: &Object) -> bool {
                match (self, other) {
                    $((Object::$variant(a), Object::$variant(b)) => Arc::ptr_eq(a, b),)*
                    _ => false,
                }
            }
        }
    };
}
for_each_kind!(define_object);

// Not inlined, so that the work for Pods does not pay for the thirty other kinds: see `lib.rs`.

#[inline(never)]
fn decoded<T: codec::Part>(value: Value) -> Arc<T> {
    Arc::new(codec::decode(value))
}

#[inline(never)]
fn encode<T: Encode>(inner: &T, writer: &mut wire::Writer) {
    inner.write(writer);
}

#[inline(never)]
fn meta_mut<T: Resource>(inner: &mut Arc<T>) -> &mut ObjectMeta {
    Arc::make_mut(inner).metadata_mut()
}

impl Object {
    /// Encodes, `apiVersion` and `kind` included.
    pub fn to_value(&self) -> Value {
        wire::value(false, |writer| self.encode(writer))
    }

    /// Encodes as the API server answers it: see [`wire`].
    pub fn to_wire(&self) -> Value {
        wire::value(true, |writer| self.encode(writer))
    }

    /// Appends the object as the API server answers it.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        wire::write(out, true, |writer| self.encode(writer));
    }

    /// Decodes an object of a kind; unknown fields are dropped, types are checked.
    ///
    /// Errors: 400 in upstream's words. [`super::decode::decode`] also tells about unknown fields.
    pub fn from_value(kind: Kind, value: Value) -> Result<Object, Status> {
        decode(kind, value, FieldValidation::Ignore).map(|decoded| decoded.object)
    }

    pub fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or("")
    }

    /// Empty for cluster-scoped objects.
    pub fn namespace(&self) -> &str {
        self.meta().namespace.as_deref().unwrap_or("")
    }

    pub fn uid(&self) -> &str {
        self.meta().uid.as_deref().unwrap_or("")
    }

    /// The object as its type, if it is of that kind.
    pub fn get<T: Resource>(&self) -> Option<&Arc<T>> {
        T::from_object(self)
    }

    /// The revision of the last change, zero before it was stored.
    pub fn revision(&self) -> u64 {
        self.meta()
            .resource_version
            .as_deref()
            .and_then(|rv| rv.parse().ok())
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn value_round_trip() {
        let value =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}});
        let object = Object::from_value(Kind::ConfigMap, value.clone()).unwrap();
        assert_eq!(object.name(), "a");
        assert_eq!(object.to_value(), value);
    }
}
