/* A form with data-draft="<key>" keeps what is typed in this browser until it was sent. The key names what is being
   written and changes once it was saved ("ticket-17-reply-3"), so that a sent text never comes back. */
import { forget, keysOf, recall, remember } from "./memory.js";
import { whenPresent } from "./presence.js";

const PAUSE_MS = 300;
const KEPT = "input:not([type=hidden], [type=password], [type=file]), textarea, select";

/** @typedef {{ values: Record<string, string>, sent: boolean }} Draft */

whenPresent("form[data-draft]", (form) => {
  if (!(form instanceof HTMLFormElement)) return;
  restore(form);
  let timer = 0;
  /** @param {boolean} sent */
  const keepNow = (sent) => {
    clearTimeout(timer);
    timer = 0;
    keep(form, sent);
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(keepNow, PAUSE_MS, false);
  });
  form.addEventListener("submit", () => keepNow(true));
  document.addEventListener("visibilitychange", () => document.hidden && timer && keepNow(false));
  form.addEventListener("htmx:after:request", (event) => {
    if (event instanceof CustomEvent && event.target === form && (event.detail.ctx.response?.status ?? 599) < 400) forget(storageKey(form));
  });
});

forgetSent();

/** @param {HTMLFormElement} form */
function storageKey(form) {
  return `draft:${form.dataset.draft}`;
}

/** @param {HTMLFormElement} form @param {boolean} sent */
function keep(form, sent) {
  /** @type {Draft} */
  const draft = { values: {}, sent };
  for (const control of controls(form)) draft.values[control.name] = control.value;
  remember(storageKey(form), draft);
  showState(form);
}

/** @param {HTMLFormElement} form */
function restore(form) {
  const draft = /** @type {Draft | null} */ (recall(storageKey(form)));
  if (!draft) return;
  for (const control of controls(form)) {
    const value = draft.values[control.name];
    if (value !== undefined && value !== control.value) control.value = value;
  }
  form.dispatchEvent(new Event("input"));
  showState(form);
}

/** Sent from a page that is gone: the form did not come back with errors, so the text has arrived. */
function forgetSent() {
  for (const key of keysOf("draft:")) {
    const draft = /** @type {Draft | null} */ (recall(key));
    const present = document.querySelector(`form[data-draft="${CSS.escape(key.slice("draft:".length))}"]`);
    if (draft?.sent && !present) forget(key);
  }
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
