//! Why a kubelet asks for something: key, English, Japanese. `{0}`, `{1}` are the gaps.

/// The sentences of this area.
pub const WORDS: &[(&str, &str, &str)] = &[
    (
        "kubelet.cni",
        "Pods on {0} cannot have addresses yet: its Pod network is not set up",
        "{0} の Pod ネットワークがまだないため、Pod にアドレスを渡せません",
    ),
    (
        "kubelet.register",
        "the API server does not know {0} yet",
        "API サーバーはまだ {0} を知りません",
    ),
    (
        "kubelet.node_status",
        "what the API server believes about {0} is not what is there",
        "API サーバーが知っている {0} の状態が、実際と違います",
    ),
    (
        "kubelet.heartbeat",
        "{0} says every 10 seconds that it lives; after 50 silent seconds it counts as lost",
        "{0} は 10 秒ごとに生きていると知らせます。50 秒黙っていると、失われたとみなされます",
    ),
    (
        "kubelet.reject",
        "Pod {0} cannot run here: {1}",
        "Pod {0} はここでは動かせません: {1}",
    ),
    (
        "kubelet.sandbox",
        "Pod {0} is bound here and has no sandbox",
        "Pod {0} はこのノードに割り当てられましたが、サンドボックスがありません",
    ),
    (
        "kubelet.pull",
        "Pod {0} needs image {1}, which is not here",
        "Pod {0} に必要なイメージ {1} がここにありません",
    ),
    (
        "kubelet.pull_again",
        "Pod {0} has image {1} pulled each time it starts",
        "Pod {0} は起動のたびにイメージ {1} を取得します",
    ),
    (
        "kubelet.create",
        "container {1} of Pod {0} is not there",
        "Pod {0} のコンテナー {1} がまだありません",
    ),
    (
        "kubelet.restart",
        "container {1} of Pod {0} has ended and is to run again",
        "Pod {0} のコンテナー {1} が終了したので、もう一度動かします",
    ),
    (
        "kubelet.start",
        "container {1} of Pod {0} is created and does not run",
        "Pod {0} のコンテナー {1} は作成済みですが、動いていません",
    ),
    (
        "kubelet.unhealthy",
        "container {1} of Pod {0} failed its probe too often",
        "Pod {0} のコンテナー {1} は、プローブに何度も失敗しました",
    ),
    (
        "kubelet.stop",
        "Pod {0} is being deleted, its container {1} still runs",
        "Pod {0} は削除中ですが、コンテナー {1} がまだ動いています",
    ),
    (
        "kubelet.stop_sandbox",
        "nothing of Pod {0} runs any more; its sandbox still holds an address",
        "Pod {0} のコンテナーはもう動いていませんが、サンドボックスがアドレスを持ったままです",
    ),
    (
        "kubelet.remove_container",
        "container {1} of Pod {0} is older than what is kept for its logs",
        "Pod {0} のコンテナー {1} は古く、ログのために残す必要もありません",
    ),
    (
        "kubelet.remove_sandbox",
        "Pod {0} is no longer in the API, its sandbox is still here",
        "Pod {0} は API からなくなりましたが、サンドボックスがここに残っています",
    ),
    (
        "kubelet.report",
        "what the API server believes about Pod {0} is not what is here: {1}",
        "API サーバーが知っている Pod {0} の状態が、実際と違います: {1}",
    ),
    (
        "kubelet.delete",
        "Pod {0} has stopped; only its API object is left",
        "Pod {0} は停止しました。残っているのは API のオブジェクトだけです",
    ),
];
