// Blocks as wholes: moved, doubled, deleted, put in. A block is what stands directly in the mail or in one of its columns.

const CONTAINERS = new Set(["doc", "column"]);

/** The block with the selection: {node, pos, parent, index}; null in an empty place. */
function current({ selection }) {
  const { $from, node } = selection;
  if (node?.isBlock && CONTAINERS.has($from.parent.type.name)) {
    return { node, pos: $from.pos, parent: $from.parent, index: $from.index() };
  }
  for (let depth = $from.depth; depth > 0; depth -= 1) {
    const parent = $from.node(depth - 1);
    if (!CONTAINERS.has(parent.type.name)) continue;
    return { node: $from.node(depth), pos: $from.before(depth), parent, index: $from.index(depth - 1) };
  }
  return null;
}

/** Move the block by one place, `by` -1 or 1, with the selection in it; where it stands then ({place, of}), or null. */
export function move(editor, by) {
  const { state, view } = editor;
  const block = current(state);
  const to = block && block.index + by;
  if (!block || to < 0 || to >= block.parent.childCount) return null;
  const { node, pos, parent } = block;
  const shift = by * parent.child(to).nodeSize;
  const json = state.selection.toJSON();
  const tr = state.tr.delete(pos, pos + node.nodeSize).insert(pos + shift, node);
  for (const end of ["anchor", "head"]) if (end in json) json[end] += shift;
  view.dispatch(tr.setSelection(state.selection.constructor.fromJSON(tr.doc, json)).scrollIntoView());
  return { place: to + 1, of: parent.childCount };
}

export function duplicate({ state, view }) {
  const block = current(state);
  if (!block) return false;
  view.dispatch(state.tr.insert(block.pos + block.node.nodeSize, block.node).scrollIntoView());
  view.focus();
  return true;
}

export function remove({ state, view }) {
  const block = current(state);
  if (!block) return false;
  const { node, pos, parent } = block;
  const end = pos + node.nodeSize;
  const { tr } = state;
  if (parent.childCount > 1) tr.delete(pos, end);
  else tr.replaceWith(pos, end, state.schema.nodes.paragraph.create());
  view.dispatch(tr.scrollIntoView());
  view.focus();
  return true;
}

/** Put `content`, blocks as JSON, in place of the characters of `range` and of the empty line that they leave, or below the line. */
export function insert(editor, pm, content, range) {
  const { state, view } = editor;
  const tr = state.tr;
  if (range) tr.delete(range.from, range.to);
  const nodes = pm.model.Fragment.from(content.map((json) => state.schema.nodeFromJSON(json)));
  const { $from } = tr.selection;
  const place = roomFor($from, nodes);
  if (!place) return false;
  tr.replaceWith(place.from, place.to, nodes);
  const end = place.from + nodes.size;
  // Nothing is the last thing in the mail or a column that one could not write below.
  if (!nodes.lastChild.isTextblock && !tr.doc.resolve(end).nodeAfter) tr.insert(end, state.schema.nodes.paragraph.create());
  const writable = nodes.firstChild.isAtom ? end : place.from;
  tr.setSelection(pm.state.Selection.near(tr.doc.resolve(writable)));
  view.dispatch(tr.scrollIntoView());
  view.focus();
  return true;
}

/** The innermost place around the cursor where all of `nodes` may stand. */
function roomFor($from, nodes) {
  const first = $from.node?.type?.isTextblock || $from.parent.isTextblock ? $from.depth : $from.depth + 1;
  for (let depth = first; depth > 0; depth -= 1) {
    const parent = $from.node(depth - 1);
    const index = $from.index(depth - 1);
    const isEmpty = depth === $from.depth && $from.parent.isTextblock && !$from.parent.content.size;
    if (isEmpty && parent.canReplace(index, index + 1, nodes)) return { from: $from.before(depth), to: $from.after(depth) };
    const after = depth > $from.depth ? $from.pos + ($from.nodeAfter?.nodeSize ?? 0) : $from.after(depth);
    if (parent.canReplace(index + 1, index + 1, nodes)) return { from: after, to: after };
  }
  return null;
}
