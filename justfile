# Short names for `cargo xtask`, which holds the logic.

# All that must pass before a change is handed in
ready: fmt check test

# Format, clippy, tidy, licences
check:
    cargo xtask check

# Set up the real parts, then every test; arguments go to `cargo test`
test *ARGS:
    cargo xtask test {{ARGS}}

# Format Rust and Go
fmt:
    cargo fmt --all
    gofmt -w oracle

# Build and fetch what tests compare with
setup:
    cargo xtask setup
