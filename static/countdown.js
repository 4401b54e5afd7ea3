// The seconds that are left to undo. The server alone decides whether it is in time: here is only shown what it said.

const TICK_S = 0.25;
const ends = new WeakMap();

const show = () => {
  for (const form of document.querySelectorAll("[data-countdown]")) {
    // Counted from when the page, or a part of it, came: the clocks of browser and server may differ.
    if (ends.get(form)?.left !== form.dataset.left) {
      ends.set(form, { left: form.dataset.left, at: performance.now() + 1000 * form.dataset.left });
    }
    const seconds = Math.ceil((ends.get(form).at - performance.now()) / 1000);
    form.hidden = seconds <= 0;
    form.querySelector("[data-seconds]").textContent = `${Math.max(seconds, 0)} s`;
  }
};

show();
setInterval(show, 1000 * TICK_S);
