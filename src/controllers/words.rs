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
];
