//! Problems of policy files, shown the way rustc shows its own.
//!
//! It must never print, and never let a name from a file steer the terminal: everything is escaped.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::visible::{is_unsafe, visible};

use super::source::{Place, Source};

/// Whether a problem keeps the policy from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grade {
    /// The policy cannot be used.
    Error,
    /// The policy can be used; somebody should look.
    Warning,
}

/// A second place that belongs to a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Also {
    /// The file.
    pub source: Arc<Source>,
    /// Where in it.
    pub place: Place,
    /// What is there.
    pub label: String,
}

/// One problem at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub grade: Grade,
    /// The file.
    pub source: Arc<Source>,
    /// Where in it.
    pub place: Place,
    /// The problem in one line.
    pub title: String,
    /// A few words under the place.
    pub label: Option<String>,
    /// Other places that belong to it.
    pub also: Vec<Also>,
    /// Why it is a problem.
    pub note: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// The source line holds a secret and is not shown.
    pub secret: bool,
}

impl Diagnostic {
    /// An error.
    pub fn error(source: &Arc<Source>, place: Place, title: impl Into<String>) -> Self {
        Self {
            grade: Grade::Error,
            source: source.clone(),
            place,
            title: title.into(),
            label: None,
            also: Vec::new(),
            note: None,
            hint: None,
            secret: false,
        }
    }

    /// A warning.
    pub fn warning(source: &Arc<Source>, place: Place, title: impl Into<String>) -> Self {
        Self { grade: Grade::Warning, ..Self::error(source, place, title) }
    }

    /// Adds words under the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what to do, if there is something to say.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// Keeps the source line out of what is shown.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Adds why it is a problem.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn also(mut self, source: &Arc<Source>, place: Place, label: impl Into<String>) -> Self {
        self.also.push(Also { source: source.clone(), place, label: label.into() });
        self
    }
}

/// Sorts by file and place, drops what is said twice, and hides a line that holds a secret in everything said of it.
pub fn tidy(diagnostics: &mut Vec<Diagnostic>) {
    let of = |source: &Source, place: Place| (source.path().to_owned(), place.line);
    let hidden: BTreeSet<_> = diagnostics.iter().filter(|d| d.secret).map(|d| of(&d.source, d.place)).collect();
    if !hidden.is_empty() {
        for diagnostic in diagnostics.iter_mut() {
            let mut places = vec![(&diagnostic.source, diagnostic.place)];
            places.extend(diagnostic.also.iter().map(|also| (&also.source, also.place)));
            // Lines between two places are shown as well.
            let near = |source: &Source, line: usize| {
                let lines = places.iter().filter(|(other, _)| other.path() == source.path()).map(|(_, place)| place.line);
                let (first, last) = lines.fold((usize::MAX, 0), |(first, last), line| (first.min(line), last.max(line)));
                (first..=last).contains(&line)
            };
            diagnostic.secret |=
                hidden.iter().any(|(path, line)| places.iter().any(|(source, _)| source.path() == path && near(source, *line)));
        }
    }
    diagnostics.sort_by(|a, b| {
        let key = |d: &Diagnostic| (d.place.start, d.place.end, d.grade);
        (a.source.path().cmp(b.source.path())).then(key(a).cmp(&key(b))).then_with(|| a.title.cmp(&b.title))
    });
    diagnostics.dedup_by(|a, b| a.title == b.title && a.place == b.place && a.source.path() == b.source.path());
}

/// How diagnostics look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Text alone.
    Plain,
    /// With colours.
    Styled,
}

/// More than this many are counted and not shown.
const SHOWN: usize = 300;
/// Lines longer than this are not shown.
const LONG: usize = 4096;

/// Shows diagnostics with their source lines, and their number at the end. Empty for none.
pub fn render(diagnostics: &[Diagnostic], look: Look) -> String {
    render_of(diagnostics, look, "the policy")
}

/// The same, of something else than a policy.
pub fn render_of(diagnostics: &[Diagnostic], look: Look, what: &str) -> String {
    let mut all = diagnostics.to_vec();
    tidy(&mut all);
    if all.is_empty() {
        return String::new();
    }
    let renderer = match look {
        Look::Plain => Renderer::plain(),
        Look::Styled => Renderer::styled(),
    }
    .decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for diagnostic in all.iter().take(SHOWN) {
        let _ = writeln!(text, "{}\n", renderer.render(&[group(diagnostic)]));
    }
    let count = |grade| all.iter().filter(|d| d.grade == grade).count();
    let (errors, warnings) = (count(Grade::Error), count(Grade::Warning));
    let plural = |n: usize, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
    let more = if all.len() > SHOWN { format!("; the first {SHOWN} are shown") } else { String::new() };
    let end = match (errors, warnings) {
        (0, _) => Level::WARNING.primary_title(format!("{what} has {}{more}", plural(warnings, "warning"))),
        (_, 0) => Level::ERROR.primary_title(format!("{what} has {}{more}", plural(errors, "error"))),
        _ => Level::ERROR.primary_title(format!(
            "{what} has {} and {}{more}",
            plural(errors, "error"),
            plural(warnings, "warning")
        )),
    };
    let _ = writeln!(text, "{}", renderer.render(&[Group::with_title(end)]));
    text
}

fn group(diagnostic: &Diagnostic) -> Group<'_> {
    let level = match diagnostic.grade {
        Grade::Error => Level::ERROR,
        Grade::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(escape(&diagnostic.title)));
    let primary = (AnnotationKind::Primary, diagnostic.place, diagnostic.label.as_deref());
    let (here, elsewhere): (Vec<&Also>, Vec<&Also>) =
        diagnostic.also.iter().partition(|also| also.source.path() == diagnostic.source.path());
    let here = here.into_iter().map(|also| (AnnotationKind::Context, also.place, Some(&*also.label)));
    let marks: Vec<_> = std::iter::once(primary).chain(here).collect();
    group = show(group, &diagnostic.source, diagnostic.secret, &marks);
    for also in elsewhere {
        group = show(group, &also.source, diagnostic.secret, &[(AnnotationKind::Context, also.place, Some(&*also.label))]);
    }
    for (level, text) in [(Level::NOTE, &diagnostic.note), (Level::HELP, &diagnostic.hint)] {
        if let Some(text) = text {
            group = group.element(level.message(escape(text)));
        }
    }
    group
}

/// Shows lines of one file. Of a place that spans lines, the first line is marked.
fn show<'a>(group: Group<'a>, source: &'a Source, secret: bool, marks: &[(AnnotationKind, Place, Option<&str>)]) -> Group<'a> {
    let first = marks.iter().map(|(_, place, _)| place.line).min().unwrap_or(1);
    let last = marks.iter().map(|(_, place, _)| place.line).max().unwrap_or(1);
    let lines = source.lines(first, last);
    let text = source.text().get(lines.clone()).unwrap_or_default();
    let path = escape(source.path());
    if secret || text.lines().any(|line| line.len() > LONG) {
        let mut group = group;
        for (_, place, label) in marks {
            group = group.element(Origin::path(path.clone()).line(place.line).char_column(place.column));
            if let Some(label) = label {
                group = group.element(Level::NOTE.message(escape(label)));
            }
        }
        return group;
    }
    let mut snippet = Snippet::source(seen(text)).line_start(first).path(path);
    for (kind, place, label) in marks {
        let line = source.lines(place.line, place.line);
        let from = place.start.saturating_sub(lines.start).min(text.len());
        let to = place.end.min(line.end).saturating_sub(lines.start).clamp(from, text.len());
        let to = text.get(from..to).map_or(to, |marked| from + marked.trim_end().len());
        let mut annotation = kind.span(from..to);
        if let Some(label) = label {
            annotation = annotation.label(escape(label));
        }
        snippet = snippet.annotation(annotation);
    }
    group.element(snippet)
}

/// Makes control characters and characters that reorder text visible.
pub fn escape(text: &str) -> String {
    visible(text).into_owned()
}

/// A source line in which hidden characters can be seen. The renderer does it for control characters below 128 and needs
/// the other offsets as they are, so each is replaced by one of the same length.
fn seen(text: &str) -> String {
    let shown = |c: char| match c.len_utf8() {
        2 if is_unsafe(c) => '\u{b7}',
        4 if is_unsafe(c) => '\u{1f533}',
        3 if is_unsafe(c) => '\u{fffd}',
        _ => c,
    };
    text.chars().map(shown).collect()
}

/// A text from a file within a sentence: in backticks, and not too long.
pub(super) fn quote(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return format!("`{text}`");
    }
    format!("`{}…`", text.chars().take(MOST).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_as_rustc_does() {
        let source = Arc::new(Source::new("a.yaml", "name: x\nnäme: y\n".to_owned()));
        let diagnostic = Diagnostic::error(&source, source.place(8, 13), "unknown key `näme`")
            .label("not known")
            .also(&source, source.place(0, 4), "this is")
            .note("because")
            .hint("did you mean `name`?");
        let twice = [diagnostic.clone(), diagnostic];
        insta::assert_snapshot!(render(&twice, Look::Plain), @r"
        error: unknown key `näme`
         --> a.yaml:2:1
          |
        1 | name: x
          | ---- this is
        2 | näme: y
          | ^^^^ not known
          |
          = note: because
          = help: did you mean `name`?

        error: the policy has 1 error
        ");
        assert!(render(&twice, Look::Styled).contains("\u{1b}["));
    }

    #[test]
    fn names_cannot_steer_the_terminal() {
        let source = Arc::new(Source::new("a\u{1b}[2J\u{202e}.yaml", "x\u{1b}[2J\u{202e}: 1\n".to_owned()));
        let place = source.place(0, 5);
        let diagnostic =
            Diagnostic::error(&source, place, "bad \u{1b}]0;x\u{7} \u{2066}").label("\u{1b}").note("\r").hint("\u{9b}");
        let text = render(&[diagnostic], Look::Plain);
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{2069}').contains(&c)), "{text:?}");
    }

    #[test]
    fn long_lines_are_not_shown() {
        let source = Arc::new(Source::new("a.yaml", "x".repeat(10_000)));
        let text = render(&[Diagnostic::error(&source, source.place(9_000, 9_001), "here")], Look::Plain);
        assert!(text.contains("a.yaml:1:9001") && text.len() < 300, "{text}");
    }
}
