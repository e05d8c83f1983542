//! The page in a real browser, served from `dist/` under a sub-path. Needs `make dist`, Chromium and
//! chromedriver; `make test` brings all three and always runs this.

mod browser;

use browser::{Options, with_page};
use serde_json::json;

#[tokio::test]
async fn the_editor_bundle_edits_lints_completes_and_explains() {
    with_page("editor-bundle", Options::default(), |page| async move {
        let seen = page
            .js_async(
                "document.body.innerHTML = '<div id=here style=\"height:300px\"></div>';
                 const { create } = await import('./editor.js');
                 const seen = { changes: [] };
                 const editor = create(document.getElementById('here'), {
                   doc: 'kind: Pod\\nspec:\\n', label: 'A manifest', lintDelay: 0,
                   onChange: (text) => seen.changes.push(text),
                   lint: async (text) => text.includes('Pod')
                     ? [{ from: 6, to: 9, severity: 'error', message: 'no <b>Pod</b>' }, { from: 900, message: 'far' }] : [],
                 });
                 editor.lintNow();
                 await new Promise((r) => setTimeout(r, 300));
                 seen.marks = document.querySelectorAll('.cm-lintRange-error').length;
                 seen.label = document.querySelector('.cm-content').getAttribute('aria-label');
                 editor.set('kind: Node\\n');
                 seen.text = editor.get();
                 editor.setReadOnly(true);
                 seen.editable = document.querySelector('.cm-content').contentEditable;
                 editor.destroy();
                 seen.left = document.getElementById('here').children.length;
                 return seen;",
                &[],
            )
            .await;
        assert_eq!(
            seen,
            json!({
                "changes": [], "marks": 1, "label": "A manifest", "text": "kind: Node\n", "editable": "false", "left": 0,
            })
        );
        assert_eq!(page.console().await, [""; 0]);
    })
    .await;
}
