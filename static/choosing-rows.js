// Rows of the list chosen by their ticks: all of a page at once, and how many they are. What is done with them is a form like any other.

const all = () => document.getElementById("choose-all");
const ticks = () => [...document.querySelectorAll('input[type="checkbox"][form="chosen"]')];

function show() {
  if (!all()) return;
  const chosen = ticks().filter((tick) => tick.checked).length;
  all().hidden = false;
  all().checked = chosen > 0 && chosen === ticks().length;
  all().indeterminate = chosen > 0 && chosen < ticks().length;
  document.getElementById("chosen-number").textContent = chosen ? `${chosen} chosen` : "";
}

document.addEventListener("change", (event) => {
  if (event.target === all()) for (const tick of ticks()) tick.checked = all().checked;
  if (event.target === all() || ticks().includes(event.target)) show();
});
document.addEventListener("htmx:afterSettle", show); // the list came anew
addEventListener("pageshow", show); // Back brings the ticks with it
show();
