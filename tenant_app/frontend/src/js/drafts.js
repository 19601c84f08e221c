/* A form with data-draft="<key>" keeps what is typed in this browser until the server says that it has it: htmx by an
   answer below 400, a page by data-draft-sent="<key>" on the next one. Any other answer, or none, keeps the draft. The key
   names what is being written and changes once it was saved ("ticket-17-reply-3"), so that a sent text never comes back. */
import { forget, recall, remember } from "./memory.js";
import { whenPresent } from "./presence.js";

const PAUSE_MS = 300;
const KEPT = "input:not([type=hidden], [type=password], [type=file]), textarea, select";

/** @typedef {{ values: Record<string, string> }} Draft */

whenPresent("[data-draft-sent]", (notice) => forget(storageKey(notice.dataset.draftSent ?? "")));

whenPresent("form[data-draft]", (form) => {
  if (!(form instanceof HTMLFormElement)) return;
  restore(form);
  let timer = 0;
  const stop = () => {
    clearTimeout(timer);
    timer = 0;
  };
  const keepNow = () => {
    stop();
    keep(form);
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(keepNow, PAUSE_MS);
  });
  form.addEventListener("submit", keepNow);
  document.addEventListener("visibilitychange", () => document.hidden && timer && keepNow());
  form.addEventListener("htmx:after:request", (event) => {
    if (!(event instanceof CustomEvent) || event.target !== form || (event.detail.ctx.response?.status ?? 599) >= 400) return;
    stop();
    forget(storageKey(form.dataset.draft ?? ""));
  });
});

/** @param {string} key */
function storageKey(key) {
  return `draft:${key}`;
}

/** @param {HTMLFormElement} form */
function keep(form) {
  /** @type {Draft} */
  const draft = { values: {} };
  for (const control of controls(form)) draft.values[control.name] = control.value;
  remember(storageKey(form.dataset.draft ?? ""), draft);
  showState(form);
}

/** @param {HTMLFormElement} form */
function restore(form) {
  const draft = /** @type {Draft | null} */ (recall(storageKey(form.dataset.draft ?? "")));
  if (!draft) return;
  for (const control of controls(form)) {
    const value = draft.values[control.name];
    if (value !== undefined && value !== control.value) control.value = value;
  }
  form.dispatchEvent(new Event("input"));
  showState(form);
}

/** @param {HTMLFormElement} form */
function showState(form) {
  const state = form.querySelector("[data-draft-state]");
  if (state instanceof HTMLElement) state.hidden = false;
}

/** @param {HTMLFormElement} form @returns {(HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement)[]} */
function controls(form) {
  return [.../** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll(KEPT))].filter((control) => control.name);
}
