//! Why a kube-proxy asks for something: key, English, Japanese. `{0}`, `{1}` are the gaps.

/// The sentences of this area.
pub const WORDS: &[(&str, &str, &str)] = &[
    (
        "kube-proxy.load",
        "{0} cannot balance anything yet: the kernel's ip_vs module is not loaded",
        "{0} はまだ振り分けができません。カーネルの ip_vs モジュールが読み込まれていません",
    ),
    (
        "kube-proxy.add_service",
        "nobody answers at {1}, where Service {0} should",
        "Service {0} のアドレス {1} が、まだ登録されていません",
    ),
    (
        "kube-proxy.edit_service",
        "{1} is not set up as Service {0} wants it",
        "{1} の設定が Service {0} と違います",
    ),
    (
        "kube-proxy.delete_service",
        "no Service is behind {0} any more",
        "{0} の Service はもうありません",
    ),
    (
        "kube-proxy.add_server",
        "{1} answers for Service {0} and gets no connections here",
        "{1} は Service {0} に応えられますが、ここからはつながりません",
    ),
    (
        "kube-proxy.edit_server",
        "{1} of Service {0} is entered wrongly",
        "Service {0} の {1} の設定が間違っています",
    ),
    (
        "kube-proxy.drain_server",
        "{1} no longer answers for Service {0}; its open connections may end",
        "{1} はもう Service {0} に応えません。今の接続が終わるのを待ちます",
    ),
    (
        "kube-proxy.delete_server",
        "{1} no longer answers for Service {0}",
        "{1} はもう Service {0} に応えません",
    ),
];
