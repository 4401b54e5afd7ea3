// A file dropped on the page, and the progress of its upload. Without this the form uploads by itself.
import { say } from "./console.js";

const form = document.getElementById("upload-form");
const drop = document.getElementById("drop");
const file = document.getElementById("file");

if (form && drop && file) {
  for (const type of ["dragenter", "dragover"]) {
    drop.addEventListener(type, (event) => {
      event.preventDefault();
      drop.dataset.over = "";
    });
  }
  for (const type of ["dragleave", "drop"]) drop.addEventListener(type, () => delete drop.dataset.over);
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    file.files = event.dataTransfer.files;
    file.dispatchEvent(new Event("change", { bubbles: true }));
  });

  const tooLarge = document.getElementById("file-too-large");
  const isTooLarge = () => (file.files[0]?.size ?? 0) > Number(drop.dataset.limit);
  file.addEventListener("change", () => {
    tooLarge.hidden = !isTooLarge();
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (isTooLarge()) {
      tooLarge.hidden = false;
      file.focus();
      return;
    }
    const bar = document.getElementById("upload-progress");
    const button = form.querySelector("button");
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.responseType = "document";
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.max = total || 1;
      bar.value = loaded;
    });
    const failed = (words) => {
      bar.hidden = true;
      button.disabled = false;
      delete form.dataset.sent;
      say(`${words} Nothing was lost, and the file is still chosen; try again in a moment.`);
    };
    request.addEventListener("load", () => {
      if (request.status < 400) {
        location.assign(request.responseURL);
        return;
      }
      // A refusal is a page of its own; show it in place of this one, with what it says about the file.
      const answer = request.status < 500 && request.response?.getElementById("main");
      if (answer) document.getElementById("main").replaceWith(answer);
      else if (request.status === 413) failed("A server before the console does not take so large a file.");
      else failed("The console could not take the file.");
    });
    request.addEventListener("error", () => failed("The upload broke off."));
    bar.hidden = false;
    button.disabled = true;
    request.send(new FormData(form));
  });
}
