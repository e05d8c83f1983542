# Each command first installs what is missing (.ci/setup).
export PATH := $(CURDIR)/.tools/bin:$(CURDIR)/node_modules/.bin:$(HOME)/.cargo/bin:$(PATH)
.PHONY: help serve test dist bench primary fmt setup

help:
	@echo 'make serve   build the page and serve it on http://127.0.0.1:8080, reloading on change'
	@echo 'make test    everything: format, lints, native tests, the page in a real browser'
	@echo 'make dist    dist/: a static folder that works under any path of any host'
	@echo 'make bench   the figures: natively, over HTTP, in headless Chromium'
	@echo 'make primary what the page starts with, written anew: src/web/release/primary.txt'
	@echo 'make fmt     format the code'

setup:
	@.ci/setup page

serve: setup
	trunk serve --offline --cargo-profile serve

dist: setup
	trunk build --offline --release
	@test -f dist/editor.js || { echo 'dist: the editor bundle is missing' >&2; exit 1; }

test:
	@.ci/setup test
	@.ci/test

bench:
	@.ci/setup browser
	cargo bench --locked --bench machine --bench http
	trunk build --offline --release
	node benches/page.mjs

primary:
	@.ci/setup browser
	COUNT=1 trunk build --offline --release --dist target/count
	node src/web/release/profile.mjs target/count

fmt:
	cargo fmt
