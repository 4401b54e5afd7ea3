// <mail-preview>: shows a mail in a frame, as wide as a screen or a phone. A new state is loaded behind the old one and takes its
// place when it is there, at the same scroll position: no flicker, no jump.

const SCREEN = 600;
const PHONE = 375;
const NARROW = 480;
const MODES = { dark: "dark=1", off: "images=off", marks: "marks=1" };

class MailPreview extends HTMLElement {
  #frame;
  #coming = null;
  #url = "";

  connectedCallback() {
    this.#frame = this.querySelector("iframe");
    this.#url = this.#frame?.getAttribute("src") ?? "";
    this.#frame?.addEventListener("load", () => this.#settle(this.#frame), { once: true });
    if (this.#frame?.contentDocument?.readyState === "complete") this.#settle(this.#frame);
    this.controls = document.getElementById(this.getAttribute("controls"));
    this.#beginOnPhone();
    this.controls?.addEventListener("change", () => {
      this.#follow();
      this.#fit();
    });
    this.watcher = new ResizeObserver(() => this.#fit());
    this.watcher.observe(this.parentElement);
    this.follow = () => this.#follow();
    document.addEventListener("htmx:afterSettle", this.follow);
    document.addEventListener("htmx:oobAfterSwap", this.follow);
    this.#follow();
  }

  /** On a phone the mail is first seen as on a phone. */
  #beginOnPhone() {
    const phone = this.controls?.querySelector('[value="phone"]');
    if (phone && window.innerWidth <= NARROW && this.#checked("desktop")) phone.checked = true;
  }

  disconnectedCallback() {
    this.watcher.disconnect();
    document.removeEventListener("htmx:afterSettle", this.follow);
    document.removeEventListener("htmx:oobAfterSwap", this.follow);
  }

  /** Load what the element named by `source` says in data-src, if it is not shown already. */
  #follow() {
    const wanted = document.getElementById(this.getAttribute("source"))?.dataset.src;
    if (!wanted) return;
    const modes = Object.keys(MODES).filter((mode) => this.#checked(mode));
    const url = [wanted, ...modes.map((mode) => MODES[mode])].join("&");
    this.toggleAttribute("dark", modes.includes("dark"));
    if (url === this.#url) return;
    this.#url = url;
    this.#coming?.remove();
    const frame = document.createElement("iframe");
    frame.className = "frame-view";
    frame.title = "The mail";
    frame.setAttribute("sandbox", "allow-same-origin");
    frame.toggleAttribute("data-coming", true);
    frame.addEventListener("load", () => this.#arrived(frame), { once: true });
    frame.src = url;
    this.#coming = frame;
    this.append(frame);
  }

  #arrived(frame) {
    if (frame !== this.#coming) return;
    this.#coming = null;
    const before = this.#frame?.contentWindow;
    const [x, y] = before ? [before.scrollX, before.scrollY] : [0, 0];
    const old = this.#frame;
    this.#frame = frame;
    this.#settle(frame);
    frame.contentWindow.scrollTo(x, y);
    frame.removeAttribute("data-coming");
    old?.remove();
  }

  #settle(frame) {
    // Links are for looking at: the frame may run no script, and following one would replace the mail.
    frame.contentDocument.addEventListener("click", (event) => event.target.closest?.("a") && event.preventDefault());
    this.#fit();
  }

  /** A screen is shown smaller where there is no room for it, a phone as it is. The frame is as high as the mail, up to the window, or
   * beyond (attribute "whole"). */
  #fit() {
    const frame = this.#frame;
    const root = frame?.contentDocument?.documentElement;
    const room = this.parentElement.clientWidth - this.#margins();
    if (!root || room <= 0) return;
    const phone = this.#checked("phone");
    const width = phone ? Math.min(PHONE, room) : Math.max(SCREEN, room);
    const scale = phone ? 1 : Math.min(1, room / width);
    frame.style.width = `${width}px`;
    const wanted = Math.max(root.offsetHeight, frame.contentDocument.body?.offsetHeight ?? 0);
    const most = this.hasAttribute("whole") ? Infinity : Math.max(320, window.innerHeight - 260);
    const height = Math.min(Math.ceil(wanted * scale), most);
    frame.style.height = `${height / scale}px`;
    frame.style.transform = scale < 1 ? `scale(${scale})` : "";
    this.style.height = `${height + 2}px`;
    this.style.width = `${Math.ceil(width * scale) + 2}px`;
  }

  /** What the parent's padding and our own border take of the width. */
  #margins() {
    const { paddingLeft, paddingRight } = getComputedStyle(this.parentElement);
    return parseFloat(paddingLeft) + parseFloat(paddingRight) + 2;
  }

  #checked(value) {
    return Boolean(this.controls?.querySelector(`[value="${value}"]:checked`));
  }
}

customElements.define("mail-preview", MailPreview);
