//! The page's words, in every language the page speaks.
//!
//! A catalogue is a value of one struct, so a word that is missing in a language does not compile.
//! Kubernetes' own words (kinds, phases, verbs, messages) are not translated.

mod en;
mod ja;

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    En,
    Ja,
}

impl Lang {
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Ja];

    /// The BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Ja => "ja",
        }
    }

    /// The language of a tag such as `ja-JP`; English for any other.
    pub fn of_tag(tag: &str) -> Lang {
        if tag
            .get(..2)
            .is_some_and(|prefix| prefix.eq_ignore_ascii_case("ja"))
        {
            Lang::Ja
        } else {
            Lang::En
        }
    }

    pub fn other(self) -> Lang {
        match self {
            Lang::En => Lang::Ja,
            Lang::Ja => Lang::En,
        }
    }

    pub fn words(self) -> &'static Words {
        match self {
            Lang::En => &en::WORDS,
            Lang::Ja => &ja::WORDS,
        }
    }
}

/// Fills `{0}`, `{1}` … of a sentence. A gap without an argument stays as it is.
pub fn fill(sentence: &str, args: &[&str]) -> String {
    let mut text = sentence.to_string();
    for (index, arg) in args.iter().enumerate() {
        text = text.replace(&format!("{{{index}}}"), arg);
    }
    text
}

macro_rules! catalogue {
    ($($name:ident),* $(,)?) => {
        /// Every word and sentence of the page. `{0}` marks a gap, see [`fill`].
        #[derive(Debug)]
        pub struct Words { $(pub $name: &'static str),* }

        #[cfg(test)]
        impl Words {
            fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name)),*]
            }
        }
    };
}

catalogue! {
    // the bar
    play, pause, step, step_hint, rewind, speed, timeline, revision, share, shared, language, theme_dark, theme_light,
    time_bar,
    // the floor
    floor, reception, cabinet, drawers_hint, stage_authentication, stage_authorization, stage_admission,
    stage_validation, stamped, refused, skipped, quiet_counter, recent_slips,
    seats, take_seat, hand_over, back_office, duties_open,
    tray, tray_empty, desk, desks_empty, machine, node, ready, not_ready, unknown, unplugged, cordoned, unregistered,
    setup_network, setup_ipvs, setup_register, set_up, plug, unplug, cordon, uncordon, drain, add_desk, desk_menu,
    cpu, memory, desk_free, pods, board, board_empty, board_hint, on_machine,
    fits, carry_start, carry_over, carry_drop, carry_cancel, carry_nowhere, carry_help, pods_never_move, no_address,     restarts,     visitors, visitor_from, visitor_target, visitor_rate, visitor_start, visitor_stop, visitor_count, no_service,
    // the guide
    guide, situation, commands, seriously, goals, scene, all_met, story_done, next_goal, next_scene, put_in_console,
    todo, todo_empty, todo_autopilot, do_it, more, more_rows, less,     // the dock
    tables, services, endpoints, slices, ipvs, manifest, requests, console, lesson, close,
    no_services, no_endpoints, no_slices, no_requests, make_service,
    col_name, col_ip, col_ports, col_selector, col_address, col_pod, col_node, col_ready, col_service,
    col_time, col_request, col_user, col_code, yes, no, because, followed, in_flight,     template, apply, fine, line_of, template_pod, template_replicaset, template_deployment, template_service,
    editor_label, editor_empty, editor_leave, changes, changes_none, changes_of, edit_close, edit_save, edit_open, edit_wait,
    console_hint, console_intro, console_label, run_line, line_before, clear, by_gesture, still_running,     // the status line
    status_line, link_broken, link_instead,
    // when it breaks
    broken_title, broken_text, broken_log, broken_reload,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gaps of a sentence, sorted.
    fn gaps(sentence: &str) -> Vec<String> {
        let mut gaps: Vec<String> = sentence
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
            .map(str::to_string)
            .collect();
        gaps.sort();
        gaps
    }

    #[test]
    fn catalogues_are_complete() {
        let (en, ja) = (Lang::En.words().all(), Lang::Ja.words().all());
        for ((name, english), (_, japanese)) in en.iter().zip(&ja) {
            assert!(!english.is_empty() && !japanese.is_empty(), "{name} is empty");
            assert_eq!(gaps(english), gaps(japanese), "{name} has other gaps");
        }
        let untranslated: Vec<_> = en
            .iter()
            .zip(&ja)
            .filter(|(a, b)| a.1 == b.1)
            .map(|(a, _)| a.0)
            .collect();
        assert_eq!(
            untranslated,
            ["ready", "not_ready", "unknown", "ipvs", "col_pod", "col_service"],
            "Kubernetes' own words, and only they"
        );
    }

    #[test]
    fn tags() {
        assert_eq!(Lang::of_tag("ja-JP"), Lang::Ja);
        assert_eq!(Lang::of_tag("fr"), Lang::En);
        assert_eq!(Lang::of_tag(""), Lang::En);
    }

    #[test]
    fn filling() {
        assert_eq!(fill("{1} on {0}", &["a", "b"]), "b on a");
        assert_eq!(fill("{0} {2}", &["a"]), "a {2}");
    }
}
