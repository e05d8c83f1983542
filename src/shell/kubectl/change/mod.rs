//! Commands that change one thing of objects that exist.

pub mod env;
pub mod labels;
pub mod nodes;
pub mod patch;
pub mod scale;
pub mod set;

use super::failure::{Result, message};

/// Arguments that change something (`a=b`, `a-`) separated from those that name objects.
/// # Errors
/// A name behind a change.
fn split_changes(args: &[String], what: &str) -> Result<(Vec<String>, Vec<String>)> {
    let is_change =
        |arg: &str| arg.contains('=') && !arg.starts_with('=') || arg.ends_with('-') && arg != "-";
    let first = args.iter().position(|a| is_change(a)).unwrap_or(args.len());
    if let Some(late) = args[first..].iter().find(|a| !is_change(a)) {
        // `set env` names all it was given.
        let named = if what == "environment" {
            args.join(" ")
        } else {
            late.clone()
        };
        return message(format!(
            "all resources must be specified before {what} changes: {named}"
        ));
    }
    Ok((args[..first].to_vec(), args[first..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Fake;
    use serde_json::{Value, json};

    fn deploy() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default", "resourceVersion": "1", "labels": {"tier": "front"}},
            "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:1.26"}]}}}})
    }

    const PATH: &str = "/apis/apps/v1/namespaces/default/deployments/web";

    fn fake() -> Fake {
        Fake::default()
            .on(&format!("GET {PATH}"), 200, deploy())
            .on(
                &format!("PATCH {PATH}"),
                200,
                json!({"metadata": {"name": "web", "resourceVersion": "2"}}),
            )
            .on(&format!("PATCH {PATH}/scale"), 200, json!({}))
            .on(
                &format!("GET {PATH}/scale"),
                200,
                json!({"spec": {"replicas": 5}}),
            )
    }

    #[test]
    fn labels() {
        let mut fake = fake();
        assert_eq!(
            fake.run("kubectl label deploy web tier=back").1,
            "error: 'tier' already has a value (front), and --overwrite is false\n"
        );
        assert_eq!(
            fake.run("kubectl label deploy web tier=back --overwrite").0,
            "deployment.apps/web labeled\n"
        );
        assert_eq!(fake.body(), json!({"metadata": {"labels": {"tier": "back"}}}));
        assert_eq!(
            fake.run("kubectl label deploy web tier-").0,
            "deployment.apps/web unlabeled\n"
        );
        assert_eq!(
            fake.run("kubectl label deploy/web tier=front").0,
            "deployment.apps/web not labeled\n"
        );
        assert_eq!(
            fake.run("kubectl label deploy web x-").0,
            "label \"x\" not found.\ndeployment.apps/web not labeled\n"
        );
        assert_eq!(
            fake.run("kubectl label pod x").1,
            "error: at least one label update is required\n"
        );
        assert_eq!(
            fake.run("kubectl annotate deploy web note=hi").0,
            "deployment.apps/web annotated\n"
        );
    }

    #[test]
    fn images_and_scales() {
        let mut fake = fake();
        assert_eq!(
            fake.run("kubectl set image deploy/web web=nginx:1.27").0,
            "deployment.apps/web image updated\n"
        );
        assert_eq!(
            fake.body(),
            json!({"spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": "web"}], "containers": [{"image": "nginx:1.27", "name": "web"}]}}}})
        );
        assert_eq!(
            fake.run("kubectl set image deploy/web x=y").1,
            "error: unable to find container named \"x\"\n"
        );
        assert_eq!(
            fake.run("kubectl scale deploy web --replicas=5").0,
            "deployment.apps/web scaled\n"
        );
        assert_eq!(fake.body(), json!({"spec": {"replicas": 5}}));
        assert_eq!(
            fake.run("kubectl scale deploy web --current-replicas=9 --replicas=2")
                .1,
            "error: Expected replicas to be 9, was 5\n"
        );
        assert_eq!(
            fake.run("kubectl scale deploy web").1,
            "error: required flag(s) \"replicas\" not set\n"
        );
        assert_eq!(
            fake.run("kubectl patch deploy web -p '{\"a\":1}'").0,
            "deployment.apps/web patched\n"
        );
        assert_eq!(
            fake.run("kubectl patch pod x").1,
            "error: must specify --patch or --patch-file containing the contents of the patch\n"
        );
    }

    #[test]
    fn nodes() {
        let mut fake = Fake::default().on("GET /api/v1/nodes/n", 200, json!({"metadata": {"name": "n"}, "spec": {"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]}})).on("PATCH /api/v1/nodes/n", 200, json!({"metadata": {"name": "n"}}));
        assert_eq!(fake.run("kubectl cordon n").0, "node/n cordoned\n");
        assert_eq!(fake.body(), json!({"spec": {"unschedulable": true}}));
        assert_eq!(fake.run("kubectl uncordon n").0, "node/n already uncordoned\n");
        assert_eq!(fake.run("kubectl taint node n k-").0, "node/n untainted\n");
        assert_eq!(fake.body(), json!({"spec": {"taints": null}}));
        assert_eq!(
            fake.run("kubectl taint node n k=w:NoSchedule").1,
            "error: node n already has k taint(s) with same effect(s) and --overwrite is false\n"
        );
        assert_eq!(
            fake.run("kubectl taint node n q-").1,
            "error: taint \"q\" not found\n"
        );
        assert_eq!(
            fake.run("kubectl cordon").1,
            "error: USAGE: cordon NODE [flags]\nSee 'kubectl cordon -h' for help and examples\n"
        );
    }
}
