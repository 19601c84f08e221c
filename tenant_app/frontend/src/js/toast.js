/* Short notices. From the server: flashed, or by the header HX-Trigger: {"toast": {"text": …, "tone": …, "undo_url": …}}. */
import { whenPresent } from "./presence.js";

const SHOWN_MS = 6000;

/**
 * @typedef {"info" | "success" | "warning" | "danger"} Tone
 * @param {string} text
 * @param {{ tone?: Tone, undo_url?: string }} [options] undo_url: where "Undo" posts to
 */
export function toast(text, { tone = "info", undo_url } = {}) {
  const template = document.querySelector(`template[data-toast-template="${tone}"]`);
  if (!(template instanceof HTMLTemplateElement)) return;
  const notice = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const words = notice.querySelector(".toast-text");
  if (words) words.textContent = text;
  const undo = notice.querySelector("form");
  if (undo && undo_url) {
    undo.action = undo_url;
    undo.hidden = false;
  }
  document.querySelector("[data-toasts]")?.append(notice);
}

document.addEventListener("toast", (event) => {
  if (event instanceof CustomEvent) toast(event.detail.text, event.detail);
});

whenPresent("[data-toast]", (notice) => {
  notice.querySelector("[data-toast-dismiss]")?.addEventListener("click", () => notice.remove());
  if (notice.dataset.toast !== "danger") leaveLater(notice);
});

/** Goes by itself, but never under the pointer or the focus. @param {HTMLElement} notice */
function leaveLater(notice) {
  setTimeout(() => {
    if (notice.matches(":hover, :focus-within")) leaveLater(notice);
    else notice.remove();
  }, SHOWN_MS);
}
