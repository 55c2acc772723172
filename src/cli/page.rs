//! Plain pages of the commands about access: words that wrap on a terminal, names that move no cursor.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

use super::Global;
use crate::reporters::text::{Wrap, visible};

pub(super) const PLAIN: Style = Style::new();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const RED: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
pub(super) const YELLOW: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
pub(super) const CYAN: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan)));

/// Collects lines, to be printed at once.
pub(super) struct Page {
    text: Vec<u8>,
    width: Option<u16>,
    colors: bool,
}

impl Page {
    /// For stdout.
    pub(super) fn new(global: &Global) -> Self {
        let terminal = io::stdout().is_terminal();
        let width = if terminal { super::audit::width() } else { None };
        Self { text: Vec::new(), width, colors: global.color.on(terminal) }
    }

    /// An empty line.
    pub(super) fn blank(&mut self) {
        self.text.push(b'\n');
    }

    /// A line that begins with a label in a column of its own; further lines hang below the text.
    pub(super) fn line(&mut self, label: &str, column: usize, style: Style, text: &str, of_text: Style) {
        let (style, of_text) = if self.colors { (style, of_text) } else { (PLAIN, PLAIN) };
        let mut wrap = Wrap::new(self.width, column);
        let out = &mut self.text;
        // Writing to memory does not fail.
        let _ = wrap.indent(out, if label.is_empty() { column } else { 0 });
        if !label.is_empty() {
            let _ = wrap.word(out, 0, &format!("{label:column$}"), style);
        }
        let _ = wrap.words(out, 0, &visible(text), of_text);
        out.push(b'\n');
    }

    /// Prints it.
    pub(super) fn print(self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(&self.text)?;
        out.flush()
    }
}
