//! Why the scheduler asks for something: key, English, Japanese. `{0}`, `{1}` are the gaps.

/// The sentences of this area.
pub const WORDS: &[(&str, &str, &str)] = &[
    (
        "scheduler.bind",
        "Pod {0} has no node; {1} fits best",
        "Pod {0} にはまだノードがありません。いちばん合うのは {1} です",
    ),
    (
        "scheduler.report",
        "Pod {0} fits nowhere: {1}",
        "Pod {0} が入るノードがありません: {1}",
    ),
    (
        "scheduler.preempt",
        "Pod {0} matters more than Pod {1}, which is in its way on {2}",
        "Pod {0} は、ノード {2} で場所を占めている Pod {1} より優先されます",
    ),
    (
        "scheduler.volume",
        "Pod {0} goes to {2}, where volume {1} is to be used",
        "Pod {0} は {2} に置かれ、そこでボリューム {1} を使います",
    ),
];
