// The list of blocks that `/` opens: filtered by what is typed after it, chosen by arrows and Enter, left by Escape.

import { place } from "./bubble.js";

const TYPED = /^\/[^/\n]{0,24}$/;

/**
 * A plugin of the editor. `box` is a popover with role=listbox whose options have their words in `data-words`; `choose(option, range)` is
 * called with the characters to be replaced.
 */
export function slashList({ Plugin, pm }, box, choose) {
  const key = new pm.state.PluginKey("slash");
  const options = [...box.querySelectorAll("[role=option]")];
  const nothing = box.querySelector("[data-part=nothing]");
  const shown = () => options.filter((option) => !option.hidden);
  let view = null;

  const range = () => {
    const { from } = key.getState(view.state) ?? {};
    return from === undefined ? null : { from, to: view.state.selection.from };
  };
  const select = (option) => {
    for (const one of options) one.setAttribute("aria-selected", String(one === option));
    if (option) {
      view.dom.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else view.dom.removeAttribute("aria-activedescendant");
  };
  const take = (option) => {
    const replaced = range();
    close();
    choose(option, replaced);
  };
  const close = () => view.dispatch(view.state.tr.setMeta(key, { closed: true }));
  const show = (typed) => {
    const wanted = ` ${typed.slice(1).trim().toLowerCase()}`;
    for (const option of options) option.hidden = !` ${option.dataset.words.toLowerCase()}`.includes(wanted);
    const left = shown();
    nothing.hidden = left.length > 0;
    if (!box.matches(":popover-open")) box.showPopover();
    place(box, view.coordsAtPos(view.state.selection.from));
    view.dom.setAttribute("aria-controls", box.id);
    if (!left.some((option) => option.getAttribute("aria-selected") === "true")) select(left[0]);
  };
  const hide = () => {
    if (box.matches(":popover-open")) box.hidePopover();
    view?.dom.removeAttribute("aria-controls");
    view?.dom.removeAttribute("aria-activedescendant");
    for (const one of options) one.setAttribute("aria-selected", "false");
  };

  return new Plugin({
    key,
    state: {
      init: () => null,
      apply(tr, open, _old, state) {
        const told = tr.getMeta(key);
        if (told) return told.closed ? null : told;
        if (!open) return null;
        const from = tr.mapping.map(open.from, -1);
        const { selection, doc } = state;
        const isThere = selection.empty && selection.from > from && selection.$from.start() <= from;
        return isThere && TYPED.test(doc.textBetween(from, selection.from, "\n", "\ufffc")) ? { from } : null;
      },
    },
    props: {
      handleTextInput(editorView, from, to, text) {
        const before = editorView.state.doc.resolve(from);
        const isWordStart = /(^|\s)$/.test(before.parent.textBetween(0, before.parentOffset, "\n", "\ufffc"));
        if (text !== "/" || !isWordStart || before.parent.type.name === "mailButton") return false;
        editorView.dispatch(editorView.state.tr.insertText("/", from, to).setMeta(key, { from }));
        return true;
      },
      handleKeyDown(_view, event) {
        if (!range() || event.isComposing) return false;
        const left = shown();
        const at = left.findIndex((option) => option.getAttribute("aria-selected") === "true");
        if (event.key === "Escape") close();
        else if (!left.length) return false;
        else if (event.key === "ArrowDown") select(left[(at + 1) % left.length]);
        else if (event.key === "ArrowUp") select(left[(at - 1 + left.length) % left.length]);
        else if (event.key === "Enter" || event.key === "Tab") take(left[Math.max(0, at)]);
        else return false;
        return true;
      },
      handleDOMEvents: { blur: () => void (range() && close()) },
    },
    view(editorView) {
      view = editorView;
      box.onmousedown = (event) => event.preventDefault();
      box.onclick = (event) => {
        const option = event.target.closest("[role=option]");
        if (option) take(option);
      };
      return {
        update() {
          const typed = range();
          if (typed) show(view.state.doc.textBetween(typed.from, typed.to));
          else hide();
        },
        destroy() {
          hide();
          view = null;
        },
      };
    },
  });
}
