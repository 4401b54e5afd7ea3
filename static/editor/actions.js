// What can be done with whole blocks, by keys, by the toolbar and by the handle. `tools` are the design view's: `editor()`, `pm()` with the
// library's modules, `ask(kind)` with a form, `parse(source)`, and `tell(words)` to who does not see it.

import { place } from "./bubble.js";
import * as moving from "./moving.js";
import { blockOf } from "./offered.js";

/** The actions by the names of their buttons; each says whether it was done. */
export function actions({ editor, pm, ask, tell }) {
  const move = (by) => () => {
    const moved = moving.move(editor(), by);
    editor().view.focus();
    return tell(moved ? `Moved to place ${moved.place} of ${moved.of}` : "It stands there already");
  };
  return {
    moveUp: move(-1),
    moveDown: move(1),
    duplicate: () => moving.duplicate(editor()) && tell("Duplicated"),
    remove: () => moving.remove(editor()) && tell("Deleted"),
    editBlock: () => ask(editor().isActive("social") ? "social" : "spacer"),
    // Opens the list of blocks as if / were typed, in a line of its own.
    blocks() {
      const { view } = editor();
      const { parent } = view.state.selection.$from;
      if (!parent.isTextblock || parent.content.size) moving.insert(editor(), pm(), blockOf("text"));
      view.focus();
      const { from } = view.state.selection;
      return view.someProp("handleTextInput", (take) => take(view, from, from, "/"));
    },
  };
}

/** The shortcuts of the actions. */
export function keys({ moveUp, moveDown, duplicate, remove }) {
  const done = (action) => () => Boolean(action()) || true;
  return {
    "Alt-ArrowUp": done(moveUp),
    "Alt-ArrowDown": done(moveDown),
    "Mod-Shift-d": done(duplicate),
    "Mod-Shift-Backspace": done(remove),
  };
}

/** Put in the block that was chosen in the list, in place of the characters of `range`. */
export function put({ editor, pm, ask, parse }, option, range) {
  const { block, html } = option.dataset;
  const content = html ? parse(html).toJSON().content : blockOf(block);
  if (content) return moving.insert(editor(), pm(), content, range);
  editor().chain().focus().deleteRange(range).run();
  return ask(block);
}

/** Open a menu beside the rectangle `at`, with the focus in it. */
export function menu(popover, at) {
  popover.showPopover();
  place(popover, at);
  popover.querySelector("button:not([aria-disabled=true])").focus();
}
