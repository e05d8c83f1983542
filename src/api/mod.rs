//! What an object is: the table of kinds, typed objects behind one enum, selectors, quantities,
//! Status errors, defaulting, validation and the server's Table columns.
//!
//! Types come from `k8s-openapi`; what they do not carry comes from the generated schema table.

pub mod civil;
pub mod codec;
pub mod decode;
pub mod defaults;
pub mod duration;
pub mod fields;
pub mod kind;
pub mod labels;
pub mod object;
pub mod order;
mod parts;
pub mod quantity;
pub mod qos;
pub mod schema;
pub mod sorted;
pub mod status;
pub mod table;
pub mod validation;
pub mod wire;
pub mod yaml;

pub use fields::FieldSelector;
pub use kind::{Kind, KindInfo};
pub use labels::Selector;
pub use object::{Object, Resource};
pub use qos::pod_qos_class;
pub use quantity::Quantity;
pub use status::{Status, StatusCause, StatusDetails};
