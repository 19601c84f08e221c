/* The command palette (Ctrl-K): a combobox in a dialog. What is fixed (recent things, what can be created, pages) is
   brought once per opening and filtered here; people and cases are asked for as one types. The browser remembers the
   addresses of what was looked at, never a name. */
import { openDialog } from "./dialog.js";
import { recall, remember } from "./memory.js";

const PAUSE_MS = 80;
const MOST_RECENT = 8;
const MOST_FIXED = 5;
const THING = /^\/((?:contacts|companies|tickets)\/\d+)$/;
const dialog = document.getElementById("palette");
if (dialog instanceof HTMLDialogElement) start(dialog);

/** @param {string} [text] what to look for at once @returns {boolean} whether the page has a palette */
export function openPalette(text = "") {
  if (!(dialog instanceof HTMLDialogElement)) return false;
  if (dialog.open) dialog.close();
  else dialog.dispatchEvent(new CustomEvent("palette:open", { detail: text }));
  return true;
}

/** @param {HTMLDialogElement} palette */
function start(palette) {
  const input = palette.querySelector("input");
  const list = palette.querySelector("[role=listbox]");
  const empty = palette.querySelector("[data-palette-empty]");
  const status = palette.querySelector("[data-palette-status]");
  if (!input || !(list instanceof HTMLElement) || !(empty instanceof HTMLElement) || !(status instanceof HTMLElement)) return;
  let timer = 0;
  let opening = 0;
  let turn = 0;
  let isWaiting = false;
  let isChosen = false;
  noteVisit();

  palette.addEventListener("palette:open", (event) => {
    openDialog(palette.id);
    input.value = event instanceof CustomEvent ? event.detail : "";
    input.select();
    list.replaceChildren();
    isChosen = false;
    void bringFixed();
    if (words().length > 0) void bringFound();
  });
  input.addEventListener("input", () => {
    isChosen = false;
    filter();
    settle();
    clearTimeout(timer);
    isWaiting = words().length > 0;
    if (!isWaiting) {
      turn += 1;
      drop();
    } else timer = setTimeout(() => void bringFound(), PAUSE_MS);
  });
  input.addEventListener("keydown", (event) => {
    const all = shown();
    const at = all.findIndex((option) => option.ariaSelected === "true");
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, PageUp: 0, PageDown: all.length - 1 }[event.key];
    if (event.isComposing) return;
    if (to !== undefined && all.length > 0) {
      isChosen = true;
      mark(all[to % all.length]);
    } else if (event.key === "Enter") follow(all[at], event);
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", ({ target }) => {
    if (target instanceof Element && target.closest("[data-panel-id]")) palette.close();
  });
  palette.addEventListener("close", () => {
    opening += 1;
    turn += 1;
    clearTimeout(timer);
  });
  for (const field of document.querySelectorAll("[data-global-search]")) {
    if (!(field instanceof HTMLInputElement)) continue;
    for (const used of ["click", "input"]) field.addEventListener(used, () => palette.open || openPalette(field.value));
  }

  async function bringFixed() {
    const asked = (opening += 1);
    const html = await answerTo(`recent=${recent().join(",")}`);
    if (asked !== opening) return;
    list?.insertAdjacentHTML("afterbegin", html);
    filter();
    settle();
  }

  async function bringFound() {
    const asked = (turn += 1);
    const html = await answerTo(new URLSearchParams({ q: input?.value ?? "" }).toString());
    if (asked !== turn) return;
    isWaiting = false;
    drop();
    list?.insertAdjacentHTML("beforeend", html);
    settle();
    say();
  }

  /** @param {string} question @returns {Promise<string>} nothing, if the server does not answer */
  async function answerTo(question) {
    const answer = await fetch(`${palette.dataset.palette}?${question}`, { headers: { "HX-Request": "true" } }).catch(() => null);
    return answer?.ok ? answer.text() : "";
  }

  /** What was found for other words. */
  function drop() {
    for (const group of list?.querySelectorAll("[data-palette-found]") ?? []) group.remove();
  }

  /** Shows what is fixed and fits. */
  function filter() {
    const wanted = words();
    let room = wanted.length > 0 ? MOST_FIXED : Infinity;
    for (const group of list?.querySelectorAll("[data-palette-fixed]") ?? []) {
      for (const option of group.querySelectorAll("[role=option]")) {
        const fits = room > 0 && wanted.every((word) => ` ${folded(option.textContent ?? "")}`.includes(` ${word}`));
        option.toggleAttribute("hidden", !fits);
        room -= fits ? 1 : 0;
      }
      group.toggleAttribute("hidden", !group.querySelector("[role=option]:not([hidden])"));
    }
  }

  /** Keeps the mark where somebody put it, else it stands on the first line. */
  function settle() {
    const all = shown();
    if (!isChosen || !all.some((option) => option.ariaSelected === "true")) mark(all[0]);
    if (empty instanceof HTMLElement) empty.hidden = all.length > 0 || isWaiting;
  }

  function say() {
    const { results = "", none = "" } = status instanceof HTMLElement ? status.dataset : {};
    const count = shown().length;
    if (status) status.textContent = count > 0 ? results.replace("{}", String(count)) : none;
  }

  /** @returns {HTMLElement[]} */
  function shown() {
    const all = [...(list?.querySelectorAll("[role=option]:not([hidden])") ?? [])];
    return all.filter((option) => option instanceof HTMLElement);
  }

  /** @param {HTMLElement | undefined} option */
  function mark(option) {
    for (const other of list?.querySelectorAll("[role=option]") ?? []) other.ariaSelected = String(other === option);
    option?.scrollIntoView({ block: "nearest" });
    if (option) input?.setAttribute("aria-activedescendant", option.id);
    else input?.removeAttribute("aria-activedescendant");
  }

  /** While the answer is on its way, Enter means the whole search. @param {HTMLElement | undefined} option @param {KeyboardEvent} event */
  function follow(option, { ctrlKey, metaKey, shiftKey }) {
    if (option) option.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey, metaKey, shiftKey }));
    else if (words().length > 0) location.assign(`/search?${new URLSearchParams({ q: input?.value ?? "" })}`);
  }

  function words() {
    return folded(input?.value ?? "").split(" ").filter(Boolean);
  }
}

/** Lower case, without accents, in single spaces. @param {string} text */
function folded(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("ł", "l").replace(/\s+/g, " ").trim();
}

/** @returns {string[]} */
function recent() {
  const kept = recall("recent");
  return Array.isArray(kept) ? kept.filter((thing) => typeof thing === "string") : [];
}

function noteVisit() {
  const thing = THING.exec(location.pathname)?.[1];
  if (thing) remember("recent", [thing, ...recent().filter((other) => other !== thing)].slice(0, MOST_RECENT));
}
