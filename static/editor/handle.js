// The handle beside the block under the pointer: drags it, and opens what can be done with it. The keyboard has keys and the toolbar.

const BLOCK = ".mail-design > *, .mail-design [data-column] > *";

export class Handle {
  #view;
  #pos = null;
  #follow = (event) => this.#move(event);

  /** `button` stands in `surface`, around the design; `state` is ProseMirror's module of selections; `open(rectangle)` shows the menu. */
  constructor(button, surface, state, open) {
    this.button = button;
    this.surface = surface;
    this.state = state;
    surface.append(button);
    surface.addEventListener("mousemove", this.#follow);
    button.onclick = () => this.#select() && open(button.getBoundingClientRect());
    button.ondragstart = (event) => this.#drag(event);
    button.hidden = true;
  }

  set view(view) {
    this.#view = view;
    this.button.hidden = true;
  }

  #move(event) {
    const over = event.target.closest?.(BLOCK);
    if (!this.#view || !over || event.buttons) return;
    this.#pos = positionOf(this.#view, over);
    if (this.#pos === null) return;
    const box = over.getBoundingClientRect();
    const around = this.surface.getBoundingClientRect();
    this.button.hidden = false;
    this.button.style.top = `${box.top - around.top}px`;
    const from = Math.abs(start(box, over) - start(around, over)) - this.button.offsetWidth - 4;
    this.button.style.insetInlineStart = `${Math.max(2, from)}px`;
  }

  /** Select the block; false when it is gone. */
  #select() {
    if (this.#pos === null || !this.#view?.state.doc.nodeAt(this.#pos)) return false;
    const { tr, doc } = this.#view.state;
    this.#view.dispatch(tr.setSelection(this.state.NodeSelection.create(doc, this.#pos)));
    return true;
  }

  #drag(event) {
    if (this.#pos === null || !this.#view?.state.doc.nodeAt(this.#pos)) return event.preventDefault();
    // Without selecting it: a browser gives up a drag in whose beginning the page changes.
    const node = this.state.NodeSelection.create(this.#view.state.doc, this.#pos);
    const slice = node.content();
    const { dom, text } = this.#view.serializeForClipboard(slice);
    event.dataTransfer.setData("text/html", dom.innerHTML);
    event.dataTransfer.setData("text/plain", text);
    event.dataTransfer.effectAllowed = "copyMove";
    event.dataTransfer.setDragImage(this.#view.nodeDOM(this.#pos), 0, 0);
    this.#view.dragging = { slice, move: true, node };
  }
}

/** The side of a box on which its lines begin. */
const start = (box, element) => (getComputedStyle(element).direction === "rtl" ? box.right : box.left);

function positionOf(view, element) {
  let found = null;
  view.state.doc.descendants((node, position) => {
    if (found === null && node.isBlock && view.nodeDOM(position) === element) found = position;
    return found === null;
  });
  return found;
}
