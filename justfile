# Everything a contributor runs. CI calls the same recipes.

# Formatting, lints, tests, walls.
check: fmt-check lint test core

# All tests.
test:
    ./tests/run

# rustfmt finds no modules that macros declare, so it is given the files.
fmt:
    rustfmt --edition 2024 $(git ls-files '*.rs')

fmt-check:
    rustfmt --edition 2024 --check $(git ls-files '*.rs')

lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# The library without AWS: no SDK, no tokio, no hyper.
core:
    cargo nextest run --no-default-features --lib --locked
    ! cargo tree -p lastcopy -e normal --no-default-features --locked --prefix none | grep -E '^(aws-|tokio|hyper)'

# Writes what is made from code: schemas, check pages, facts, help, and the golden files of the tests. Review the diff.
generate:
    LASTCOPY_GENERATE=1 INSTA_UPDATE=always cargo test -q --locked --lib --test it

demo:
    cargo run -q --locked -- audit --demo
