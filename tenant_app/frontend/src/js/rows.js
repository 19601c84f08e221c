/* A table's row cursor is the focus on the row's own link: j and k move it, Enter is the link's. Pressing anywhere in a
   row follows the link. Coming back to a list finds the same row and scroll position. */
import { isTyping, singleKeysAreOn } from "./keys.js";
import { whenPresent } from "./presence.js";

const LINK = "[data-row-link]";
const ROW = "tr, [data-row]";
const PAGES_REOPENED = 20;
const PAUSE_MS = 200;

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const step = { j: 1, k: -1 }[event.key];
  if (step && singleKeysAreOn() && move(step)) event.preventDefault();
});

/** @typedef {{ row: string | null, top_px: number, rows: number }} Place */

whenPresent("[data-rows]", (frame) => {
  const place = history.state?.place;
  if (place) addEventListener("load", () => void findPlace(frame, place));
  let timer = 0;
  const keepSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => keepPlace(frame), PAUSE_MS);
    sayHowMany(frame);
  };
  for (const moved of ["scroll", "focusin", "htmx:after:swap"]) frame.addEventListener(moved, keepSoon);
  frame.addEventListener("click", (event) => {
    followRow(event);
    keepPlace(frame);
  });
});

/** @param {number} step @returns {boolean} */
function move(step) {
  const links = [...document.querySelectorAll(`[data-rows] ${LINK}`)];
  const current = document.activeElement?.closest(ROW)?.querySelector(LINK);
  const at = current ? links.indexOf(current) + step : 0;
  const link = links[Math.min(Math.max(at, 0), links.length - 1)];
  if (!(link instanceof HTMLElement)) return false;
  link.focus();
  link.closest(ROW)?.scrollIntoView({ block: "nearest" });
  return true;
}

/** @param {MouseEvent} event */
function followRow(event) {
  if (!(event.target instanceof Element) || event.target.closest("a, button, input, label, select, summary")) return;
  const link = event.target.closest("[data-row]")?.querySelector(LINK);
  if (!link || getSelection()?.type === "Range") return;
  if (link instanceof HTMLElement) link.focus({ preventScroll: true });
  const { ctrlKey, metaKey, shiftKey } = event;
  link.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey, metaKey, shiftKey }));
}

/** The place lies in the history's own entry: only going back (or reloading) meets it again. @param {HTMLElement} frame */
function keepPlace(frame) {
  const row = document.activeElement?.closest(ROW)?.querySelector(LINK)?.getAttribute("href") ?? null;
  /** @type {Place} */
  const place = { row, top_px: frame.scrollTop, rows: frame.querySelectorAll(LINK).length };
  history.replaceState({ ...history.state, place }, "");
}

/** A list that keeps itself current asks for as many rows as are loaded. @param {HTMLElement} frame */
function sayHowMany(frame) {
  const field = document.querySelector("[data-rows-loaded]");
  if (field instanceof HTMLInputElement) field.value = String(frame.querySelectorAll(LINK).length);
}

/** Loads as many rows as there were, then stands where the reader left. @param {HTMLElement} frame @param {Place} place */
async function findPlace(frame, place) {
  for (let page = 0; page < PAGES_REOPENED && frame.querySelectorAll(LINK).length < place.rows; page += 1) {
    if (!(await loadMore(frame))) break;
  }
  const link = place.row && frame.querySelector(`${LINK}[href="${CSS.escape(place.row)}"]`);
  if (link instanceof HTMLElement) link.focus({ preventScroll: true });
  frame.scrollTop = place.top_px;
}

/** Listens on the document: the link itself is gone when its answer has come. */
/** @param {HTMLElement} frame @returns {Promise<boolean>} whether rows came */
function loadMore(frame) {
  const link = frame.querySelector("[data-load-more]");
  if (!(link instanceof HTMLElement)) return Promise.resolve(false);
  const before = frame.querySelectorAll(LINK).length;
  return new Promise((resolve) => {
    const done = () => resolve(frame.querySelectorAll(LINK).length > before);
    document.addEventListener("htmx:finally:request", done, { once: true });
    link.click();
  });
}
