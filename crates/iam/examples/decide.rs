//! Decides requests: one line of JSON each from standard input, one line out. See the module `simulate` for the form.

use std::io::{self, BufRead, Write};

use lastcopy_iam::simulate::simulate;

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let answer = simulate(&line?);
        match answer.decided {
            Ok(decided) => {
                let layers: Vec<&str> = decided.blocked_by.iter().map(|layer| layer.as_str()).collect();
                writeln!(out, r#"{{"id":{},"decision":"{}","blocked_by":{layers:?}}}"#, answer.id, decided.effect.as_str())?;
            }
            Err(refusal) => writeln!(out, r#"{{"id":{},"error":{:?}}}"#, answer.id, refusal.to_string())?,
        }
    }
    out.flush()
}
