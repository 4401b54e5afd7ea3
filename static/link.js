// A one-time link: what opens it stands behind the #. It is moved into the form, and out of the address, the history and so the next
// Referer.

const form = document.querySelector("[data-by-link]");

function takeOver() {
  const token = location.hash.slice(1);
  if (!form || !token) return;
  form.elements.token.value = token;
  form.querySelector("[data-token]").hidden = true;
  history.replaceState(null, "", location.pathname);
  form.querySelector("button").focus();
}

takeOver();
addEventListener("hashchange", takeOver); // a link that is pasted while its page is open loads nothing
