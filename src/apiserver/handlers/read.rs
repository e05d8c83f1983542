//! get and list.

use super::super::{ApiServer, List, Reply, Request, VersionMatch};
use super::Handled;
use crate::api::{Object, Status, StatusCause, StatusDetails};
use crate::etcd::Key;
use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};

impl ApiServer {
    #[inline(never)]
    pub(super) fn get(&self, request: &Request) -> Handled {
        let current = self.etcd.revision();
        match request.options.version {
            VersionMatch::NotOlderThan(revision) if revision > current => Err(too_large(revision, current)),
            _ => self.live(request).map(Reply::Object),
        }
    }

    #[inline(never)]
    pub(super) fn list(&self, request: &Request) -> Handled {
        let page = self.page(request)?;
        Ok(Reply::List(page))
    }

    /// One page of a collection: at the newest state, at an exact revision, or from a token.
    fn page(&self, request: &Request) -> Result<List, Status> {
        let options = &request.options;
        let current = self.etcd.revision();
        let (at, after) = match &options.continue_token {
            Some(token) => {
                let (revision, key) = decode_token(token, request)?;
                (revision, Some(key))
            }
            None => match options.version {
                VersionMatch::Newest => (current, None),
                VersionMatch::NotOlderThan(revision) | VersionMatch::Exact(revision)
                    if revision > current =>
                {
                    return Err(too_large(revision, current));
                }
                VersionMatch::NotOlderThan(_) => (current, None),
                VersionMatch::Exact(revision) => (revision, None),
            },
        };
        let limit = options
            .limit
            .filter(|limit| *limit > 0)
            .map_or(usize::MAX, |limit| limit as usize);
        let matches = |object: &Object| selected(request, object);
        let mut items = Vec::new();
        let mut last: Option<Key> = None;
        let mut remaining = 0u64;
        // Whether anything stands after the page, wanted or not: a full page does not look further.
        let mut more = false;
        let mut take = |key: &Key, object: &Object| {
            more |= items.len() >= limit;
            if !matches(object) {
                return;
            }
            if items.len() < limit {
                items.push(object.clone());
                last = Some(key.clone());
            } else {
                remaining += 1;
            }
        };
        if at == current {
            match &after {
                Some(key) => self
                    .etcd
                    .range_after(key, &request.namespace)
                    .for_each(|(key, value)| take(key, &value.object)),
                None => {
                    self.etcd
                        .range(request.kind, &request.namespace)
                        .for_each(|(key, value)| take(key, &value.object));
                }
            }
        } else {
            let values = self
                .etcd
                .range_at(request.kind, &request.namespace, at)
                .map_err(|_| gone(&after, at))?;
            values
                .iter()
                .filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after))
                .for_each(|(key, object)| take(key, object));
        }
        let continue_token = more
            .then(|| last.as_ref().map(|key| encode_token(at, key)))
            .flatten();
        // With a selector the server cannot know how many are left without reading them all, and says nothing.
        let counted = options.label_selector.is_none() && options.field_selector.is_none();
        let remaining = (remaining > 0 && counted).then_some(remaining);
        Ok(List {
            items,
            revision: at,
            continue_token,
            remaining,
        })
    }
}

/// Whether the request's selectors and name match an object.
pub(in crate::apiserver) fn selected(request: &Request, object: &Object) -> bool {
    let options = &request.options;
    (request.name.is_empty() || object.name() == &*request.name)
        && options
            .label_selector
            .as_ref()
            .is_none_or(|selector| match &object.meta().labels {
                Some(labels) => selector.matches(labels),
                None => selector.matches(&Default::default()),
            })
        && options
            .field_selector
            .as_ref()
            .is_none_or(|selector| selector.matches(object))
}

/// Source: NewTooLargeResourceVersionError of k8s.io/apiserver/pkg/storage/errors.go.
fn too_large(revision: u64, current: u64) -> Status {
    let message = format!("Timeout: Too large resource version: {revision}, current: {current}");
    let cause = StatusCause {
        reason: "ResourceVersionTooLarge".to_owned(),
        message: "Too large resource version".to_owned(),
        field: String::new(),
    };
    Status {
        details: Some(Box::new(StatusDetails {
            causes: vec![cause],
            retry_after_seconds: Some(1),
            ..StatusDetails::default()
        })),
        ..Status::new(504, "Timeout", message)
    }
}

fn gone(after: &Option<Key>, revision: u64) -> Status {
    if after.is_some() {
        Status::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new \
             list without the continue parameter, or use the continue token in this response to retrieve the \
             remainder of the results. Continuing with the provided token results in an inconsistent list - objects \
             that were created, modified, or deleted between the time the first chunk was returned and now may show \
             up in the list.",
        )
    } else {
        Status::expired(format!(
            "The resourceVersion for the provided list is too old: {revision}"
        ))
    }
}

/// A continue token: opaque to clients, a revision and the last key to us.
fn encode_token(revision: u64, key: &Key) -> String {
    URL_SAFE_NO_PAD.encode(format!(
        "{{\"v\":\"meta.k8s.io/v1\",\"rv\":{revision},\"start\":\"{}/{}\"}}",
        key.namespace, key.name
    ))
}

fn decode_token(token: &str, request: &Request) -> Result<(u64, Key), Status> {
    let invalid = |why: &str| {
        Status::bad_request(format!(
            "invalid continue token: continue key is not valid: {why}"
        ))
    };
    // Go's decoder does not mind bits that are left over.
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &URL_SAFE,
        GeneralPurposeConfig::new()
            .with_encode_padding(false)
            .with_decode_padding_mode(DecodePaddingMode::RequireNone)
            .with_decode_allow_trailing_bits(true),
    );
    let bytes = LENIENT.decode(token).map_err(|error| match error {
        base64::DecodeError::InvalidByte(at, _) => {
            invalid(&format!("illegal base64 data at input byte {at}"))
        }
        _ => invalid(&format!("illegal base64 data at input byte {}", token.len())),
    })?;
    let (value, _) = crate::api::decode::parse_json(&bytes).map_err(|why| invalid(&why))?;
    let revision = value["rv"]
        .as_u64()
        .ok_or_else(|| invalid("incorrect encoded start resourceVersion"))?;
    let start = value["start"].as_str().unwrap_or("");
    let (namespace, name) = start
        .split_once('/')
        .ok_or_else(|| invalid("incorrect encoded start key"))?;
    Ok((revision, Key::new(request.kind, namespace, name)))
}
