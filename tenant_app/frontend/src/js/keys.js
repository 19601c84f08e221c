/* Shortcuts. Any link or button says its own with data-key="n"; single keys can be switched off in the help sheet. */
import { openDialog } from "./dialog.js";
import { recall, remember } from "./memory.js";
import { openPalette } from "./palette.js";
import { whenPresent } from "./presence.js";

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") handled(event, openPalette());
  else if (!event.ctrlKey && !event.metaKey && singleKeysAreOn() && !isTyping(event.target)) handled(event, press(event.key));
});

whenPresent("[data-keys-switch]", (box) => {
  if (!(box instanceof HTMLInputElement)) return;
  box.checked = singleKeysAreOn();
  box.addEventListener("change", () => remember("single-keys", box.checked));
});

export function singleKeysAreOn() {
  return recall("single-keys") !== false;
}

/** @param {EventTarget | null} target whether a key belongs to what is being typed, or to an open dialog or menu */
export function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable], dialog, :popover-open") !== null;
}

/** @param {string} key @returns {boolean} */
function press(key) {
  if (key === "/") return openPalette();
  if (key === "?") return openDialog("shortcuts");
  const owner = key.length === 1 ? document.querySelector(`[data-key="${CSS.escape(key)}"]`) : null;
  if (owner instanceof HTMLElement) owner.click();
  return owner !== null;
}

/** @param {KeyboardEvent} event @param {boolean} done */
function handled(event, done) {
  if (done) event.preventDefault();
}
