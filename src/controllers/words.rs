//! Why the controllers ask for something: key, English, Japanese. `{0}`, `{1}` are the gaps.

/// The sentences of this area.
pub const WORDS: &[(&str, &str, &str)] = &[
    (
        "controllers.adopt",
        "Pod {0} matches the selector of {1} and has no owner",
        "Pod {0} は {1} のセレクターに一致しますが、所有者がいません",
    ),
    (
        "controllers.release",
        "Pod {0} no longer matches the selector of {1}",
        "Pod {0} は {1} のセレクターに一致しなくなりました",
    ),
    (
        "replicaset.create",
        "{0} wants {1} Pods and has {2}",
        "{0} は Pod を {1} 個必要としていますが、今は {2} 個です",
    ),
    (
        "replicaset.delete",
        "{0} wants {1} Pods and has {2}: {3} goes first",
        "{0} に必要な Pod は {1} 個ですが {2} 個あります。最初に消すのは {3} です",
    ),
    (
        "replicaset.status",
        "the status of {0} is not what is: {1} Pods, {2} ready",
        "{0} の status が実際と違います: Pod {1} 個、Ready {2} 個",
    ),
    (
        "endpointslice.create",
        "{1} Pods answer for Service {0} and are in no slice",
        "Service {0} に応える Pod {1} 個が、まだどのスライスにもありません",
    ),
    (
        "endpointslice.update",
        "slice {1} of Service {0} is out of date: {2} endpoints are ready",
        "Service {0} のスライス {1} が古くなっています: Ready なエンドポイントは {2} 個です",
    ),
    (
        "endpointslice.delete",
        "no Pod of Service {0} is in slice {1}",
        "スライス {1} には Service {0} の Pod がありません",
    ),
    (
        "endpoints.label",
        "Endpoints {0} should carry the labels of its Service",
        "Endpoints {0} には Service のラベルが付くはずです",
    ),
    (
        "endpoints.write",
        "Endpoints {0} should list {1} ready addresses",
        "Endpoints {0} には Ready なアドレスが {1} 個あるはずです",
    ),
    (
        "endpoints.delete",
        "Service {0} is gone, its Endpoints are not",
        "Service {0} はもうないのに、Endpoints が残っています",
    ),
    (
        "deployment.adopt",
        "ReplicaSet {0} matches the selector of {1} and has no owner",
        "ReplicaSet {0} は {1} のセレクターに一致しますが、所有者がいません",
    ),
    (
        "deployment.release",
        "ReplicaSet {0} no longer matches the selector of {1}",
        "ReplicaSet {0} は {1} のセレクターに一致しなくなりました",
    ),
    (
        "deployment.create",
        "no ReplicaSet has the template of {0}; it would be {1}",
        "{0} のテンプレートを持つ ReplicaSet がありません。作るなら {1} です",
    ),
    (
        "deployment.scale",
        "{0} is rolled out by scaling {1} from {2} to {3}",
        "{0} のロールアウトのため、{1} を {2} から {3} にします",
    ),
    (
        "deployment.annotate",
        "ReplicaSet {1} does not carry what {0} says now",
        "ReplicaSet {1} が、今の {0} の内容と違います",
    ),
    (
        "deployment.clean",
        "{0} keeps no more history than its limit: {1} is the oldest",
        "{0} の履歴が上限を超えています。いちばん古いのは {1} です",
    ),
    (
        "deployment.status",
        "the status of {0} is not what is: {1} ready",
        "{0} の status が実際と違います: Ready {1} 個",
    ),
    (
        "node-lifecycle.silent",
        "{0} has not been heard of for too long",
        "{0} から長い間、何の知らせもありません",
    ),
    (
        "node-lifecycle.taint",
        "{0} should keep Pods away: {1}",
        "{0} には Pod を近づけてはいけません: {1}",
    ),
    (
        "node-lifecycle.untaint",
        "{0} is ready again and needs no taint",
        "{0} はまた Ready なので、taint は要りません",
    ),
    (
        "node-lifecycle.pod",
        "Pod {0} is on {1}, for which nobody vouches",
        "Pod {0} は、様子の分からない {1} にあります",
    ),
    (
        "taint-eviction.delete",
        "Pod {0} does not tolerate {2} on {1} any longer",
        "Pod {0} は、{1} の {2} をこれ以上許容しません",
    ),
    (
        "garbage-collector.delete",
        "{0} belonged to {1}, which is gone or going",
        "{0} の所有者 {1} は、もうないか、なくなるところです",
    ),
    (
        "garbage-collector.release",
        "{0} still names {1} as an owner, which is gone or going",
        "{0} は、もうない所有者 {1} をまだ指しています",
    ),
    (
        "garbage-collector.orphan",
        "{0} is to outlive {1}",
        "{0} は {1} が消えても残すことになっています",
    ),
    (
        "garbage-collector.let_go",
        "{0} waits for nothing any more",
        "{0} は、もう何も待っていません",
    ),
    (
        "namespace.empty",
        "Namespace {0} is being deleted and still holds {1} {2}",
        "Namespace {0} は削除中ですが、まだ {2} が {1} 個あります",
    ),
    (
        "namespace.status",
        "Namespace {0} should say what is still in it",
        "Namespace {0} に、まだ残っているものを書いておきます",
    ),
    (
        "namespace.finalize",
        "Namespace {0} is empty",
        "Namespace {0} は空になりました",
    ),
    (
        "namespace.furnish",
        "every Namespace has a {1} {2}, and {0} has none",
        "どの Namespace にも {1} {2} がありますが、{0} にはありません",
    ),
    (
        "revisions.create",
        "{0} has a template that is not in its history: {1}",
        "{0} のテンプレートが履歴にありません: {1}",
    ),
    (
        "revisions.again",
        "{0} went back to the template of {1}",
        "{0} は {1} のテンプレートに戻りました",
    ),
    (
        "revisions.clean",
        "{0} keeps no more history than its limit: {1} is the oldest",
        "{0} の履歴が上限を超えています。いちばん古いのは {1} です",
    ),
    (
        "daemonset.create",
        "{0} wants a Pod on {1}, and there is none",
        "{0} は {1} に Pod を必要としていますが、ありません",
    ),
    (
        "daemonset.replace",
        "Pod {1} of {0} on {2} has ended and will be replaced",
        "{2} にある {0} の Pod {1} は終了したので、作り直します",
    ),
    (
        "daemonset.unwanted",
        "Pod {1} of {0} may not stay on {2}",
        "{0} の Pod {1} は、{2} にいられなくなりました",
    ),
    (
        "daemonset.surplus",
        "{2} has more than one Pod of {0}: {1} goes",
        "{2} に {0} の Pod が 2 個以上あります。消すのは {1} です",
    ),
    (
        "daemonset.roll",
        "Pod {1} on {2} is of an older template of {0}",
        "{2} の Pod {1} は、{0} の古いテンプレートのものです",
    ),
    (
        "daemonset.status",
        "the status of {0} is not what is: {1} ready",
        "{0} の status が実際と違います: Ready {1} 個",
    ),
    (
        "statefulset.claim",
        "{0} needs the claim {1} for its next Pod",
        "{0} の次の Pod には、クレーム {1} が必要です",
    ),
    (
        "statefulset.create",
        "{0} has no Pod {1}, and it is its turn",
        "{0} の Pod {1} がありません。次は {1} の番です",
    ),
    (
        "statefulset.replace",
        "Pod {1} of {0} has ended and will be replaced",
        "{0} の Pod {1} は終了したので、作り直します",
    ),
    (
        "statefulset.scale_down",
        "{0} has too many Pods: {1} has the highest number",
        "{0} の Pod が多すぎます。いちばん大きい番号は {1} です",
    ),
    (
        "statefulset.roll",
        "Pod {1} is of an older template of {0}",
        "Pod {1} は {0} の古いテンプレートのものです",
    ),
    (
        "statefulset.status",
        "the status of {0} is not what is: {1} ready",
        "{0} の status が実際と違います: Ready {1} 個",
    ),
    (
        "job.create",
        "{0} wants {1} Pods at work and has {2}",
        "{0} は Pod を {1} 個動かしたいのですが、今は {2} 個です",
    ),
    (
        "job.surplus",
        "{0} needs no more than its parallelism: {1} goes",
        "{0} の並列数より多くの Pod が動いています。消すのは {1} です",
    ),
    (
        "job.stop",
        "{0} is over, its Pod {1} still runs",
        "{0} は終わりましたが、Pod {1} がまだ動いています",
    ),
    (
        "job.suspend",
        "{0} is suspended, its Pod {1} still runs",
        "{0} は一時停止中ですが、Pod {1} がまだ動いています",
    ),
    (
        "job.untrack",
        "Pod {1} of {0} has been counted and may go",
        "{0} の Pod {1} は数え終わったので、手放せます",
    ),
    (
        "job.status",
        "the status of {0} is not what is: {1} succeeded",
        "{0} の status が実際と違います: 成功 {1} 個",
    ),
    (
        "job.expired",
        "{0} finished more than {1} seconds ago",
        "{0} が終わってから {1} 秒以上たちました",
    ),
    (
        "ttl.annotate",
        "kubelet of {0} is to keep Secrets and ConfigMaps for {1} seconds",
        "{0} の kubelet が Secret と ConfigMap を保つ秒数は {1} です",
    ),
    (
        "cronjob.start",
        "it is time for {0}: {1}",
        "{0} の時刻になりました: {1}",
    ),
    (
        "cronjob.replace",
        "the next run of {0} replaces {1}",
        "{0} の次の実行が、{1} に代わります",
    ),
    (
        "cronjob.clean",
        "{0} keeps no more finished Jobs than its limit: {1} is the oldest",
        "{0} の終わった Job が上限を超えています。いちばん古いのは {1} です",
    ),
    (
        "cronjob.status",
        "the status of {0} is not what is",
        "{0} の status が実際と違います",
    ),
    (
        "resourcequota.status",
        "quota {0} does not say what {1} really uses",
        "クォータ {0} に書かれた使用量が、{1} の実際と違います",
    ),
    (
        "disruption.status",
        "budget {0} does not say that {1} Pods may go now",
        "{0} に、今なくなってもよい Pod が {1} 個だと書いておきます",
    ),
    (
        "autoscaler.scale",
        "{0} keeps {1} between its limits: {2}",
        "{0} は {1} を範囲内に保ちます: {2}",
    ),
    (
        "autoscaler.status",
        "the status of {0} is not what is",
        "{0} の status が実際と違います",
    ),
    (
        "volumes.bind",
        "claim {0} can have volume {1}",
        "クレーム {0} にはボリューム {1} を割り当てられます",
    ),
    (
        "volumes.claim_status",
        "the status of claim {0} is not what is",
        "クレーム {0} の status が実際と違います",
    ),
    (
        "volumes.volume_status",
        "volume {0} is {1} now",
        "ボリューム {0} は、今 {1} です",
    ),
    (
        "volumes.reclaim",
        "the claim of volume {0} is gone, and it is to go with it",
        "ボリューム {0} のクレームはもうないので、一緒に消します",
    ),
    (
        "volumes.let_go",
        "nobody uses {0} any more",
        "{0} は、もう誰も使っていません",
    ),
    (
        "pod-gc.orphan",
        "Pod {0} is bound to {1}, which is no longer there",
        "Pod {0} の割り当て先 {1} は、もうありません",
    ),
    (
        "mirroring.create",
        "Endpoints {0} was written by hand and has no slice",
        "手で書かれた Endpoints {0} に、スライスがありません",
    ),
    (
        "mirroring.update",
        "the slice of Endpoints {0} is out of date",
        "Endpoints {0} のスライスが古くなっています",
    ),
    (
        "mirroring.delete",
        "slice {1} mirrors Endpoints {0} no longer",
        "スライス {1} は、もう Endpoints {0} の写しではありません",
    ),
];
