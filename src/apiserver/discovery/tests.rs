use super::*;
use crate::apiserver::{Config, http};
use crate::sim::SimTime;

fn get(path: &str, accept: &str) -> (u16, Value) {
    let mut server = ApiServer::new(Config::default());
    let request = ::http::Request::get(path)
        .header("accept", accept)
        .header("authorization", "Bearer admin-token")
        .body(Vec::new())
        .unwrap();
    match http::serve(&mut server, SimTime::ZERO, &request) {
        http::HttpAnswer::Response(response) => (
            response.status().as_u16(),
            serde_json::from_slice(response.body()).unwrap_or_default(),
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn resource_lists() {
    let (_, core) = get("/api/v1", "application/json");
    let pods = core["resources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|r| r["name"] == "pods")
        .unwrap();
    assert_eq!(pods["storageVersionHash"], "xPOwRZ+Yhw8=");
    let (_, scaling) = get("/apis/autoscaling/v1", "application/json");
    assert_eq!(scaling["resources"][0]["name"], "horizontalpodautoscalers");
    assert_eq!(get("/apis/nosuch", "application/json").0, 404);
}

#[test]
fn aggregated() {
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    let (_, groups) = get("/apis", accept);
    assert_eq!(groups["items"].as_array().unwrap().len(), GROUPS.len());
    assert_eq!(
        groups["items"][1]["versions"][0]["resources"][2]["subresources"][0]["responseKind"]["kind"],
        "Scale"
    );
}
