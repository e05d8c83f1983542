#!/bin/sh
# Trunk hook: makes a release smaller to start with, once it is built. Without Node the page is as Trunk built
# it, in more files and in one large module.
[ "$TRUNK_PROFILE" = release ] || exit 0
if [ ! -d node_modules/binaryen ]; then
  echo 'release: no node_modules, the program stays in one piece' >&2
  exit 0
fi
node src/web/release/styles.mjs "$TRUNK_STAGING_DIR" && exec node src/web/release/split.mjs "$TRUNK_STAGING_DIR"
