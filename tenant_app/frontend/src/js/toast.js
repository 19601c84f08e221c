/* Short notices. From the server: flashed, or by the header HX-Trigger: {"toast": {"text": …, "tone": …, "undo_url": …, "url": …, "link_text": …}}. */
import { whenPresent } from "./presence.js";

const SHOWN_MS = 6000;

/**
 * @typedef {"info" | "success" | "warning" | "danger"} Tone
 * @param {string} text
 * @param {{ tone?: Tone, undo_url?: string, url?: string, link_text?: string }} [options] undo_url: where "Undo" posts
 *   to; url and link_text: a link behind the text
 */
export function toast(text, { tone = "info", undo_url, url, link_text } = {}) {
  const template = document.querySelector(`template[data-toast-template="${tone}"]`);
  if (!(template instanceof HTMLTemplateElement)) return;
  const notice = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const words = notice.querySelector(".toast-text");
  if (words) words.textContent = text;
  if (words && url) words.append(" ", linkTo(url, link_text ?? url));
  const undo = notice.querySelector("form");
  if (undo && undo_url) {
    undo.action = undo_url;
    undo.hidden = false;
  }
  document.querySelector("[data-toasts]")?.append(notice);
}

/** @param {string} url @param {string} text */
export function linkTo(url, text) {
  const link = document.createElement("a");
  link.href = url;
  link.textContent = text;
  return link;
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
