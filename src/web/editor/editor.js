// The YAML editor: a small face over CodeMirror 6, imported when it is first opened.
// It knows no Kubernetes: errors, completions and docs are asked from its caller.
import { autocompletion, acceptCompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { forceLinting, linter, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { Compartment, EditorSelection, EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, hoverTooltip, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { theme } from './theme.js';

// Colours come from custom properties only, so that one style serves both themes.
const highlighting = syntaxHighlighting(HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--serious)' },
  { tag: [tags.string, tags.content, tags.attributeValue], color: 'var(--good)' },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: 'var(--wait)' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--ink-2)', fontStyle: 'italic' },
  { tag: [tags.separator, tags.punctuation, tags.meta, tags.typeName, tags.labelName], color: 'var(--ink-2)' },
  { tag: tags.invalid, color: 'var(--bad)' },
]));

/**
 * Puts an editor into `parent`.
 *
 * Offsets are UTF-16 code units from the start of the text, as in JavaScript strings. A callback that
 * throws or rejects counts as "nothing to say".
 *
 * - `doc`       the text to begin with
 * - `label`     what a screen reader calls the field
 * - `readOnly`  the text can be selected, not changed
 * - `dark`      which of the two colour schemes scroll bars and native parts follow
 * - `onChange`  called with the text after each change by the person (not after `set`)
 * - `onSubmit`  called on Ctrl/Cmd+Enter
 * - `lint`      async text => [{from, to, severity: 'error'|'warning'|'info', message}], asked when typing rests
 * - `complete`  async (text, offset, explicit) => {from, options: [{label, detail?, info?, type?, apply?}]} or null
 * - `hover`     async (text, offset) => {from, to, text} or null; `text` is shown as plain text
 * - `lintDelay` milliseconds of rest before `lint` is asked (default 300)
 */
export function create(parent, options = {}) {
  const { doc = '', label = 'YAML', onChange, onSubmit, lint, complete, hover, lintDelay = 300 } = options;
  const editable = new Compartment();
  const scheme = new Compartment();
  const locked = (on) => [EditorState.readOnly.of(on), EditorView.editable.of(!on)];
  let ours = false; // a change made by `set`

  const extensions = [
    lineNumbers(), foldGutter(), highlightActiveLineGutter(), highlightSpecialChars(), history(),
    drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(), highlightActiveLine(),
    highlightSelectionMatches(), EditorView.lineWrapping, yaml(), highlighting, theme, lintGutter(),
    EditorState.tabSize.of(2), indentUnit.of('  '),
    EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', autocapitalize: 'off' }),
    editable.of(locked(Boolean(options.readOnly))),
    scheme.of(EditorView.darkTheme.of(Boolean(options.dark))),
    keymap.of([
      { key: 'Mod-Enter', run: (view) => { onSubmit?.(view.state.doc.toString()); return Boolean(onSubmit); } },
      // Tab indents only while nothing else wants it; Escape then Tab leaves the editor, as CodeMirror does.
      { key: 'Tab', run: (view) => acceptCompletion(view) || indentMore(view), shift: indentLess },
      ...closeBracketsKeymap, ...completionKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap,
      ...lintKeymap, ...defaultKeymap,
    ]),
    EditorView.updateListener.of((update) => {
      if (update.docChanged && !ours) onChange?.(update.state.doc.toString());
    }),
  ];
  if (lint) {
    extensions.push(linter(async (view) => {
      const found = await quietly(() => lint(view.state.doc.toString()));
      return within(found, view.state);
    }, { delay: lintDelay }));
  }
  if (complete) {
    extensions.push(autocompletion({
      icons: false,
      // Behind a key that was chosen, its values are offered.
      activateOnCompletion: ({ apply }) => /\s$/.test(apply ?? ''),
      override: [async (context) => {
        const answer = await quietly(() => complete(context.state.doc.toString(), context.pos, context.explicit));
        return context.aborted || !answer?.options?.length ? null : { validFor: /^[\w.-]*$/, ...answer };
      }],
    }));
  }
  if (hover) {
    extensions.push(hoverTooltip(async (view, offset) => {
      const answer = await quietly(() => hover(view.state.doc.toString(), offset));
      if (!answer?.text) return null;
      const dom = document.createElement('div');
      dom.className = 'cm-docs';
      dom.textContent = answer.text;
      return { pos: answer.from ?? offset, end: answer.to ?? offset, above: true, create: () => ({ dom }) };
    }));
  }

  const view = new EditorView({ parent, state: EditorState.create({ doc, extensions }) });
  return {
    get: () => view.state.doc.toString(),
    /** Replaces the text as one undoable change, the cursor as near to its place as the text allows. */
    set(text) {
      if (text === view.state.doc.toString()) return;
      ours = true;
      const head = Math.min(view.state.selection.main.head, text.length);
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: text },
        selection: EditorSelection.cursor(head),
      });
      ours = false;
    },
    /** Shows these errors until the next change or lint. */
    setDiagnostics: (list) => view.dispatch(setDiagnostics(view.state, within(list, view.state))),
    /** Asks `lint` now instead of when typing rests. */
    lintNow: () => forceLinting(view),
    /** Puts the cursor at an offset and brings it into view. */
    reveal: (offset) => view.dispatch({
      selection: EditorSelection.cursor(Math.min(Math.max(offset, 0), view.state.doc.length)),
      scrollIntoView: true,
    }),
    setReadOnly: (on) => view.dispatch({ effects: editable.reconfigure(locked(on)) }),
    setDark: (on) => view.dispatch({ effects: scheme.reconfigure(EditorView.darkTheme.of(on)) }),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

// The caller's failure must not take the editor down with it.
async function quietly(ask) {
  try {
    return await ask();
  } catch (error) {
    console.warn('editor:', error);
    return null;
  }
}

// Diagnostics made for an older text may reach past the end of this one.
function within(list, state) {
  const clamp = (n) => Math.min(Math.max(Number(n) || 0, 0), state.doc.length);
  return [...(list ?? [])].map(({ from, to, severity = 'error', message }) => ({
    from: clamp(from), to: Math.max(clamp(from), clamp(to ?? from)), severity, message: String(message),
  })).sort((a, b) => a.from - b.from);
}
