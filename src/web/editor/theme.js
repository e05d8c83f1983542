// How the editor looks: only the page's custom properties (styles/tokens.css).
import { EditorView } from '@codemirror/view';

const border = '1px solid var(--line)';
const raised = { color: 'var(--ink)', backgroundColor: 'var(--sheet)', border, borderRadius: 'var(--r1)' };
const underline = (colour) => ({
  backgroundImage: 'none', textDecoration: `underline wavy ${colour}`, textDecorationSkipInk: 'none', textUnderlineOffset: '3px',
});

export const theme = EditorView.theme({
  '&': { color: 'var(--ink)', backgroundColor: 'var(--sheet)', height: '100%', fontSize: 'var(--t1)' },
  '&.cm-focused': { outline: '2px solid var(--serious)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--ink)' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--serious) 22%, transparent)',
  },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--serious-wash)' },
  '.cm-gutters': { color: 'var(--ink-2)', backgroundColor: 'var(--sheet-2)', borderRight: border },
  '.cm-lintRange-error': underline('var(--bad)'),
  '.cm-lintRange-warning': underline('var(--wait)'),
  '.cm-lintRange-info': underline('var(--serious)'),
  '.cm-diagnostic': { borderLeftWidth: '3px', whiteSpace: 'pre-wrap', maxWidth: '60ch' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--wait)' },
  '.cm-tooltip': raised,
  '.cm-tooltip-autocomplete > ul > li': { padding: 'var(--s1) var(--s2)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': { color: 'var(--sheet)', backgroundColor: 'var(--serious)' },
  '.cm-completionDetail': { marginLeft: 'var(--s3)' },
  '.cm-docs': { padding: 'var(--s2) var(--s3)', maxWidth: '60ch', whiteSpace: 'pre-wrap' },
  '.cm-panels': raised,
  '.cm-foldPlaceholder': { color: 'var(--ink-2)', backgroundColor: 'transparent', border },
});
