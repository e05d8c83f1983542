#!/bin/sh
# Trunk hook: bundles the editor into the folder being built. Without Node the page is built all
# the same and keeps its plain text field.
esbuild=node_modules/.bin/esbuild
if [ ! -x "$esbuild" ]; then
  echo 'editor: no node_modules, the page will use a plain text field' >&2
  exit 0
fi
exec "$esbuild" src/web/editor/editor.js --bundle --minify --format=esm --target=es2022 \
  --legal-comments=none --log-level=warning --outfile="$TRUNK_STAGING_DIR/editor.js"
