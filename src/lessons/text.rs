//! The Markdown side of a scene.

/// The three slides of a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slide {
    /// What happens in the office.
    Situation,
    /// The cheat sheet.
    Commands,
    /// What really happened.
    Seriously,
}

/// A goal, worded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoalText {
    pub id: String,
    pub text: String,
}

/// A scene in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SceneText {
    pub title: String,
    slides: [String; 3],
    pub goals: Vec<GoalText>,
}

impl SceneText {
    /// Reads the four parts by their order, whatever language their headings are in. Parts that
    /// are missing stay empty.
    pub fn parse(markdown: &str) -> SceneText {
        let mut scene = SceneText::default();
        let mut part = 0;
        let mut fenced = false;
        for line in markdown.lines() {
            fenced ^= line.starts_with("```");
            if !fenced && line.starts_with("## ") {
                part += 1;
            } else if let (0, Some(title)) = (part, line.strip_prefix("# ")) {
                scene.title = title.trim().to_string();
            } else if let Some(slide) = scene.slides.get_mut(usize::wrapping_sub(part, 1)) {
                slide.push_str(line);
                slide.push('\n');
            } else if let Some((id, text)) = line.strip_prefix("- ").and_then(|goal| goal.split_once(": ")) {
                scene.goals.push(GoalText {
                    id: id.trim().to_string(),
                    text: text.trim().to_string(),
                });
            }
        }
        scene
    }

    pub fn slide(&self, slide: Slide) -> &str {
        &self.slides[slide as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let scene = SceneText::parse(
            "# T\n## 場面\na\n## C\n```\n## not a part\n```\n## S\nc\n## G\n- one: first: thing\nloose\n",
        );
        assert_eq!(scene.title, "T");
        assert_eq!(scene.slide(Slide::Situation), "a\n");
        assert!(scene.slide(Slide::Commands).contains("## not a part"));
        assert_eq!(scene.slide(Slide::Seriously), "c\n");
        assert_eq!(
            scene.goals,
            [GoalText {
                id: "one".into(),
                text: "first: thing".into()
            }]
        );
        assert_eq!(SceneText::parse(""), SceneText::default());
    }
}
