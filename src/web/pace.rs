//! How often the page is drawn, and how often the machine is let run: as often as is seen and can
//! be afforded. What a picture costs (styles, layout and paint included) is measured.
//!
//! All times are milliseconds on the wall.

/// What there is to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// The machine keeps up, and something worth seeing has just changed.
    Lively,
    /// The machine keeps up; hearts beat, probes are answered, the clock runs.
    Quiet,
    /// The machine cannot keep up: what a picture costs is taken from it.
    Behind,
    /// A moment is to be reached as fast as possible.
    Hurried,
}

/// A picture that costs no more than this may be drawn in every frame.
const CHEAP_MS: f64 = 8.0;
/// More writes than that to be seen at once, and nothing slides.
const BURST: u64 = 40;
/// How many times as long as drawing took the page then stands.
const LIVELY_REST: f64 = 2.0;
const BUSY_REST: f64 = 9.0;
/// The shortest and the longest time between two pictures of a machine that cannot keep up.
const BUSY_MS: (f64, f64) = (100.0, 800.0);
/// How late what is hardly worth seeing may be seen: at real speed, and when the clock runs faster.
const QUIET_MS: f64 = 1_000.0;
const FAST_QUIET_MS: f64 = 100.0;
/// How long a change keeps the page lively: what it causes comes soon.
const LIVELY_MS: f64 = 2_000.0;

/// What is known of the pictures drawn so far.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    began: f64,
    /// The picture that began then has not ended.
    drawing: bool,
    cost: f64,
    changed: Option<f64>,
}

impl Pace {
    /// A picture begins. `changed` says whether it shows more than a clock that went on, `measured`
    /// whether its end will be known.
    pub fn begin(&mut self, now: f64, changed: bool, measured: bool) {
        self.began = now;
        self.drawing = measured;
        if changed {
            self.changed = Some(now);
        }
    }

    /// The browser has laid out and painted what was begun.
    pub fn end(&mut self, now: f64) {
        if std::mem::take(&mut self.drawing) {
            let cost = now - self.began;
            // A dear one counts at once, a cheap one half: what is dear comes in bursts.
            self.cost = cost.max((self.cost + cost) / 2.0);
        }
    }

    pub fn is_drawing(&self) -> bool {
        self.drawing
    }

    /// Somebody did something.
    pub fn touch(&mut self, now: f64) {
        self.changed = Some(now);
    }

    pub fn is_lively(&self, now: f64) -> bool {
        self.changed.is_some_and(|at| now - at < LIVELY_MS)
    }

    /// How long until the next picture is due.
    pub fn due_in(&self, now: f64, load: Load, speed_milli: u32) -> f64 {
        let pause = match load {
            Load::Lively if self.cost <= CHEAP_MS => 0.0,
            Load::Lively => self.cost * (1.0 + LIVELY_REST),
            Load::Quiet => quiet(speed_milli).max(self.cost * (1.0 + LIVELY_REST)),
            Load::Behind | Load::Hurried => (self.cost * (1.0 + BUSY_REST)).clamp(BUSY_MS.0, BUSY_MS.1),
        };
        (self.began + pause - now).max(0.0)
    }

    /// Whether so much changes that rows stand where they are instead of moving there: `writes` of them
    /// since the last picture.
    pub fn is_still(load: Load, writes: u64) -> bool {
        load == Load::Hurried || writes > BURST
    }
}

/// How long the machine may be left alone while nothing worth seeing happens.
pub fn quiet(speed_milli: u32) -> f64 {
    if speed_milli <= 1_000 {
        QUIET_MS
    } else {
        FAST_QUIET_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of that cost, drawn at 1,000.
    fn after(cost: f64) -> Pace {
        let mut pace = Pace::default();
        pace.begin(1_000.0, true, true);
        pace.end(1_000.0 + cost);
        pace
    }

    #[test]
    fn cheap_pictures_come_in_every_frame() {
        assert_eq!(after(4.0).due_in(1_016.0, Load::Lively, 1_000), 0.0);
    }

    #[test]
    fn dear_pictures_take_a_third_of_the_time() {
        assert_eq!(after(20.0).due_in(1_020.0, Load::Lively, 1_000), 40.0);
    }

    #[test]
    fn a_machine_that_is_behind_gets_nine_tenths() {
        assert_eq!(after(30.0).due_in(1_030.0, Load::Behind, 1_000_000), 270.0);
        assert_eq!(after(1.0).due_in(1_001.0, Load::Behind, 1_000_000), 99.0);
        // However dear, a picture a second is drawn.
        assert_eq!(after(500.0).due_in(1_500.0, Load::Hurried, 1_000_000), 300.0);
    }

    #[test]
    fn rows_move_when_few_do() {
        assert!(!Pace::is_still(Load::Lively, 12));
        // A deployment of a hundred, and one slice that did not come to its end.
        assert!(Pace::is_still(Load::Lively, 100));
        assert!(!Pace::is_still(Load::Behind, 3));
        assert!(Pace::is_still(Load::Hurried, 3));
    }

    #[test]
    fn what_is_quiet_waits() {
        assert_eq!(after(2.0).due_in(1_100.0, Load::Quiet, 1_000), 900.0);
        assert_eq!(after(2.0).due_in(1_100.0, Load::Quiet, 60_000), 0.0);
    }

    #[test]
    fn a_change_keeps_the_page_lively() {
        let mut pace = after(2.0);
        assert!(pace.is_lively(2_900.0));
        assert!(!pace.is_lively(3_100.0));
        pace.touch(3_100.0);
        assert!(pace.is_lively(5_000.0));
    }

    #[test]
    fn a_dear_picture_is_not_forgotten_at_once() {
        let mut pace = after(40.0);
        pace.begin(2_000.0, false, true);
        assert!(pace.is_drawing());
        pace.end(2_002.0);
        assert_eq!(pace.due_in(2_002.0, Load::Lively, 1_000), 61.0);
    }

    #[test]
    fn an_end_without_a_beginning_says_nothing() {
        let mut pace = after(4.0);
        pace.end(9_000.0);
        assert_eq!(pace.due_in(9_000.0, Load::Lively, 1_000), 0.0);
    }
}
