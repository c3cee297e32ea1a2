// The editor of the pages: CodeMirror with what Python needs, in the colors of course.css. esbuild
// bundles it, gm-run.js fetches it when a reader first edits something.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const color = name => `var(--gm-${name})`;

const theme = EditorView.theme({
  "&": { color: color("ink"), backgroundColor: color("paper"), fontSize: "0.84375rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: color("mono"), lineHeight: "1.6", fontVariantLigatures: "none", overscrollBehaviorX: "contain" },
  ".cm-content": { padding: "0.7rem 0", caretColor: color("gru") },
  ".cm-line": { padding: "0 1rem 0 0.6rem" },
  ".cm-gutters": { color: color("muted"), backgroundColor: color("paper"), border: "0" }, // code scrolls below it
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "2.25rem", padding: "0 0.3rem 0 0.6rem" },
  ".cm-cursor": { borderLeft: `2px solid ${color("gru")}` },
  "& .cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--gm-gru) 26%, transparent)",
  },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "color-mix(in srgb, var(--gm-gru) 22%, transparent)", color: "inherit" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent", color: color("update") },
  ".cm-wrong": { backgroundColor: "color-mix(in srgb, var(--gm-update) 14%, transparent)", boxShadow: `inset 3px 0 ${color("update")}` },
});

// The colors that course.css gives to highlighted code.
const highlighting = syntaxHighlighting(HighlightStyle.define([
  { tag: tags.comment, color: color("muted"), fontStyle: "italic" },
  { tag: [tags.keyword, tags.operatorKeyword], color: color("lstm"), fontWeight: "500" },
  { tag: [tags.number, tags.bool, tags.null], color: color("rnn") },
  { tag: [tags.string, tags.special(tags.string)], color: color("candidate") },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className)], color: color("gru"), fontWeight: "500" },
]));

const markLine = StateEffect.define();
const wrong = Decoration.line({ class: "cm-wrong" });
const marked = StateField.define({
  create: () => Decoration.none,
  update(marks, change) {
    for (const effect of change.effects) {
      if (effect.is(markLine)) return effect.value ? Decoration.set(wrong.range(change.state.doc.line(effect.value).from)) : Decoration.none;
    }
    return change.docChanged ? Decoration.none : marks;
  },
  provide: field => EditorView.decorations.from(field),
});

// Tab indents, until Escape gives it back to the browser, which then goes on to what stands behind.
const leaving = [
  keymap.of([{ key: "Escape", run: view => { view.setTabFocusMode(true); return false; } }]),
  EditorView.domEventHandlers({ focus: (_, view) => view.setTabFocusMode(false) }),
  EditorView.updateListener.of(({ docChanged, view }) => docChanged && view.setTabFocusMode(false)),
];

/** An editor at the end of `parent`; `onRun` is called for Shift-Enter, `onChange` with every new text. */
export function make(parent, { doc = "", label, onChange, onRun, readOnly = false }) {
  const run = () => { onRun?.(); return true; };
  const stub = /^([ \t]*)raise NotImplementedError\(.*\)/m.exec(doc); // the line to replace is selected
  const attributes = { "aria-label": label, spellcheck: "false", autocorrect: "off", autocapitalize: "off" };
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc,
      selection: stub && { anchor: stub.index + stub[1].length, head: stub.index + stub[0].length },
      extensions: [
        keymap.of([{ key: "Shift-Enter", run }]), leaving,
        lineNumbers(), drawSelection(), history(), indentOnInput(), bracketMatching(),
        keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
        python(), indentUnit.of("    "), EditorState.tabSize.of(4), EditorState.readOnly.of(readOnly),
        theme, highlighting, marked, EditorView.contentAttributes.of(attributes),
        EditorView.updateListener.of(({ docChanged, state }) => docChanged && onChange?.(state.doc.toString())),
      ],
    }),
  });
  return {
    get text() { return view.state.doc.toString(); },
    set(text) { view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }); },
    focus() { view.focus(); },
    /** Mark a line, counted from 1, and bring it into view; null takes the mark away. */
    mark(line) {
      const { doc } = view.state, known = line >= 1 && line <= doc.lines ? line : null;
      view.dispatch({ effects: [markLine.of(known), ...(known ? [EditorView.scrollIntoView(doc.line(known).from)] : [])] });
    },
  };
}
