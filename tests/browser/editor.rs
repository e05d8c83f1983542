//! The editor: answering `kubectl edit`, completion, docs and changes.

use super::{Options, Page, with_page};
use fantoccini::key::Key;
use serde_json::{Value, json};

impl Page {
    /// What is in CodeMirror.
    async fn written(&self) -> String {
        let lines = "return [...document.querySelectorAll('.cm-line')].map((l) => l.textContent).join('\\n')";
        self.js(lines, &[]).await.as_str().expect("a text").to_owned()
    }

    /// Replaces the whole text, as a person who selects all and pastes.
    async fn paste(&self, text: &str) {
        let content = self.find(".cm-content").await;
        content.send_keys("\u{e009}a\u{e000}").await.expect("keys");
        self.js(
            "const data = new DataTransfer();
             data.setData('text/plain', arguments[0]);
             document.querySelector('.cm-content').dispatchEvent(
               new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));",
            &[json!(text)],
        )
        .await;
    }

    /// Begins `kubectl edit` and waits for its file.
    async fn edit(&self) {
        self.js(
            "window.edit = kubeByHand.run('kubectl edit configmap c'); window.done = null;
             edit.then((answer) => window.done = answer);",
            &[],
        )
        .await;
        self.sees(".editor .file", "/tmp/kubectl-edit-").await;
        self.until(
            "the file",
            "return document.querySelector('.cm-content')?.textContent.includes('Please edit the object below')",
        )
        .await;
    }

    async fn answer(&self) -> Value {
        let answer = self
            .js_async(
                "const { stdout, stderr, code } = await window.edit; return [stdout, stderr, code]",
                &[],
            )
            .await;
        self.until("the draft", "return !document.querySelector('.editor .file')")
            .await;
        answer
    }
}

const SAVE: &str = ".editor .btn.ink";
const CLOSE: &str = ".editor .row .btn:not(.ink):not([aria-pressed])";

#[tokio::test]
async fn kubectl_edit_is_answered_in_the_editor() {
    with_page("kubectl-edit", Options::default(), |page| async move {
        page.started().await;
        page.ok("kubectl create configmap c --from-literal=k=v").await;
        page.click("#tab-manifest").await;
        page.paste("# a draft").await;

        page.edit().await;
        let text = page.written().await;
        page.paste(&text.replace("k: v", "k: w")).await;
        page.click(SAVE).await;
        assert_eq!(page.answer().await, json!(["configmap/c edited\n", "", 0]));
        assert_eq!(page.ok("kubectl get cm c -o jsonpath={.data.k}").await, "w");
        assert_eq!(page.written().await, "# a draft", "the draft is back");

        page.edit().await;
        page.click(CLOSE).await;
        assert_eq!(page.answer().await, json!(["", "Edit cancelled, no changes made.\n", 0]));

        // What is refused opens again, with the reason on top; what was written is kept.
        page.edit().await;
        let text = page.written().await;
        page.paste(&text.replace("  k: w", "  not a key: w")).await;
        page.sees(".editor .messages", "data[not a key]").await;
        page.click(SAVE).await;
        page.until(
            "the reason",
            "return document.querySelector('.cm-content').textContent.includes('configmaps \"c\" was not valid')",
        )
        .await;
        assert!(page.written().await.contains("# * data[not a key]: Invalid value"));
        assert_eq!(page.js("return window.done", &[]).await, Value::Null, "it still waits");
        page.click(CLOSE).await;
        let answer = page.answer().await;
        assert_eq!(answer[2], 1);
        let said = answer[1].as_str().expect("a text");
        assert!(said.contains("error: Edit cancelled, no valid changes were saved."), "{said}");

        // Ctrl+C in the console closes the file too.
        page.edit().await;
        let prompt = page.find(".console textarea").await;
        prompt.send_keys("\u{e009}c\u{e000}").await.expect("keys");
        assert_eq!(page.answer().await[1], "Edit cancelled, no changes made.\n");
        assert_eq!(page.console().await, [""; 0]);
    })
    .await;
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: nginx\n    image: nginx\n";

#[tokio::test]
async fn fields_are_completed_and_explained_and_changes_shown() {
    with_page("completion", Options::default(), |page| async move {
        page.started().await;
        page.click("#tab-manifest").await;
        page.paste(POD).await;
        page.type_text("  restartP").await;
        page.sees(".cm-tooltip-autocomplete", "restartPolicy").await;
        page.sees(".cm-completionInfo", "Restart policy for all containers").await;
        // A list that has just come does not take Enter at once.
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        page.press(Key::Enter.into()).await;
        page.sees(".cm-tooltip-autocomplete", "OnFailure").await;
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        page.press(Key::Down.into()).await;
        page.press(Key::Enter.into()).await;
        assert_eq!(page.written().await, format!("{POD}  restartPolicy: Never"));
        page.sees(".editor .messages", "accept").await;

        // The docs of the word under the pointer.
        page.js(
            "const line = [...document.querySelectorAll('.cm-line')].find((l) => l.textContent.includes('image'));
             const word = [...line.querySelectorAll('span')].find((s) => s.textContent === 'image').getBoundingClientRect();
             const at = { bubbles: true, clientX: word.x + word.width / 2, clientY: word.y + word.height / 2 };
             line.dispatchEvent(new MouseEvent('mousemove', at));",
            &[],
        )
        .await;
        page.sees(".cm-docs", "spec.containers.image <string>").await;
        page.sees(".cm-docs", "Container image name.").await;

        let toggle = ".editor [aria-pressed]";
        page.click(toggle).await;
        page.sees(".editor .changes", "+  name: web").await;
        page.click(toggle).await;
        page.click(SAVE).await;
        page.sees(".console .body", "pod/web created").await;
        page.click(toggle).await;
        page.sees(".editor .changes .empty", "Nothing would change").await;
        page.click(toggle).await;
        page.paste(&format!("{POD}  restartPolicy: Never\n").replace("image: nginx", "image: httpd")).await;
        page.click(toggle).await;
        page.sees(".editor .changes", "-  - image: nginx").await;
        page.sees(".editor .changes", "+  - image: httpd").await;
        assert_eq!(page.console().await, [""; 0]);
    })
    .await;
}
