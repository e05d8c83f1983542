//! Why the controllers ask for something: key, English, Japanese. `{0}`, `{1}` are the gaps.

/// The sentences of this area.
pub const WORDS: &[(&str, &str, &str)] = &[
    ("controllers.adopt", "Pod {0} matches the selector of {1} and has no owner", "Pod {0} は {1} のセレクターに一致しますが、所有者がいません"),
    ("controllers.release", "Pod {0} no longer matches the selector of {1}", "Pod {0} は {1} のセレクターに一致しなくなりました"),
    ("replicaset.create", "{0} wants {1} Pods and has {2}", "{0} は Pod を {1} 個必要としていますが、今は {2} 個です"),
    ("replicaset.delete", "{0} wants {1} Pods and has {2}: {3} goes first", "{0} に必要な Pod は {1} 個ですが {2} 個あります。最初に消すのは {3} です"),
    ("replicaset.status", "the status of {0} is not what is: {1} Pods, {2} ready", "{0} の status が実際と違います: Pod {1} 個、Ready {2} 個"),
    ("endpointslice.create", "{1} Pods answer for Service {0} and are in no slice", "Service {0} に応える Pod {1} 個が、まだどのスライスにもありません"),
    ("endpointslice.update", "slice {1} of Service {0} is out of date: {2} endpoints are ready", "Service {0} のスライス {1} が古くなっています: Ready なエンドポイントは {2} 個です"),
    ("endpointslice.delete", "no Pod of Service {0} is in slice {1}", "スライス {1} には Service {0} の Pod がありません"),
    ("endpoints.write", "Endpoints {0} should list {1} ready addresses", "Endpoints {0} には Ready なアドレスが {1} 個あるはずです"),
    ("endpoints.delete", "Service {0} is gone, its Endpoints are not", "Service {0} はもうないのに、Endpoints が残っています"),
    ("deployment.adopt", "ReplicaSet {0} matches the selector of {1} and has no owner", "ReplicaSet {0} は {1} のセレクターに一致しますが、所有者がいません"),
    ("deployment.release", "ReplicaSet {0} no longer matches the selector of {1}", "ReplicaSet {0} は {1} のセレクターに一致しなくなりました"),
    ("deployment.create", "no ReplicaSet has the template of {0}; it would be {1}", "{0} のテンプレートを持つ ReplicaSet がありません。作るなら {1} です"),
    ("deployment.scale", "{0} is rolled out by scaling {1} from {2} to {3}", "{0} のロールアウトのため、{1} を {2} から {3} にします"),
    ("deployment.annotate", "ReplicaSet {1} does not carry what {0} says now", "ReplicaSet {1} が、今の {0} の内容と違います"),
    ("deployment.clean", "{0} keeps no more history than its limit: {1} is the oldest", "{0} の履歴が上限を超えています。いちばん古いのは {1} です"),
    ("deployment.status", "the status of {0} is not what is: {1} ready", "{0} の status が実際と違います: Ready {1} 個"),
    ("node-lifecycle.silent", "{0} has not been heard of for too long", "{0} から長い間、何の知らせもありません"),
    ("node-lifecycle.taint", "{0} should keep Pods away: {1}", "{0} には Pod を近づけてはいけません: {1}"),
    ("node-lifecycle.untaint", "{0} is ready again and needs no taint", "{0} はまた Ready なので、taint は要りません"),
    ("node-lifecycle.pod", "Pod {0} is on {1}, for which nobody vouches", "Pod {0} は、様子の分からない {1} にあります"),
    ("taint-eviction.delete", "Pod {0} does not tolerate {2} on {1} any longer", "Pod {0} は、{1} の {2} をこれ以上許容しません"),
];
