use kube_by_hand::cluster::{Preset, Setup};
use kube_by_hand::shell::Terminal;
use std::time::Duration;
#[test]
fn scratch() {
    let mut terminal = Terminal::new(Setup {
        preset: Preset::Autopilot,
        desks: vec!["inazu".into(), "kudo".into(), "bob".into()],
        ..Setup::default()
    });
    terminal.advance(Duration::from_secs(5));
    for line in std::fs::read_to_string("/tmp/mine/lines.txt").unwrap().lines() {
        let out = terminal.run(line, Duration::from_secs(60));
        println!("$ {line}\n{}{}[{:?}]", out.stdout(), out.stderr(), out.code);
        terminal.advance(Duration::from_millis(500));
    }
}
