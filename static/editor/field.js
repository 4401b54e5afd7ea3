// Plain fields, edited by the program as a person would: so that the browser's own undo takes it back.

/** Insert at the cursor of a plain field as typing does, so that the browser's own undo takes it back. */
export function insertText(field, text, typed = 0) {
  field.focus();
  field.setSelectionRange(field.selectionStart - typed, field.selectionEnd);
  if (document.execCommand("insertText", false, text)) return;
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Replace a plain field's text as typing does. */
export function replaceAll(field, text) {
  if (text === field.value) return;
  field.focus();
  field.select();
  if (!text && document.execCommand("delete")) return;
  insertText(field, text);
}

/** Select characters of a plain field and bring them into sight. */
export function selectAt(field, start, end) {
  field.setSelectionRange(start, end);
  field.blur(); // gaining the focus is what scrolls to the selection
  field.focus();
}
