// One click copies what stands in another element: <button data-copy="its-id" hidden>. Without scripts the button is not there.

const SHOWN_FOR = 2000;

for (const button of document.querySelectorAll("button[data-copy]")) {
  const word = button.querySelector("span");
  const before = [...word.childNodes].map((node) => node.cloneNode(true));
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copied(document.getElementById(button.dataset.copy));
    word.replaceChildren(done ? "Copied" : "Press Ctrl+C");
    setTimeout(() => word.replaceChildren(...before.map((node) => node.cloneNode(true))), SHOWN_FOR);
  });
}

/** Where a page is not served by https the browser has no clipboard: then the text is selected, and whoever reads presses Ctrl+C. */
async function copied(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return false;
  }
}
