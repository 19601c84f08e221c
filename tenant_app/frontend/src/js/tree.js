/* A tree whose items are put elsewhere by dragging their grip, or by its arrow keys. data-tree names the form that sends
   the move: group_id, parent_id, and before_id (empty: as the last one). The server answers with the tree as it is then. */
import { whenPresent } from "./presence.js";

/** @typedef {{ parent: string, before: string }} Place */
/** @typedef {{ row: HTMLElement, side: "before" | "into" | "after" }} Drop */

const EDGE = 0.3;
const SIDES = ["is-drop-before", "is-drop-into", "is-drop-after"];
/** The group that moves: its grip gets the focus again when the tree has come. */
let moved = "";

whenPresent("[data-tree]", (tree) => {
  tree.addEventListener("keydown", (event) => byKey(tree, event));
  tree.addEventListener("pointerdown", (event) => byPointer(tree, event));
});

/* Other parts of the page ask too: only the answer to the move itself is meant. */
document.addEventListener("htmx:finally:request", ({ target }) => {
  if (!moved || !(target instanceof HTMLFormElement) || !isTreeForm(target)) return;
  const id = moved;
  moved = "";
  if (!document.querySelector("dialog[open]")) requestAnimationFrame(() => settle(id));
});

/** @param {HTMLFormElement} form */
function isTreeForm(form) {
  return document.querySelector(`[data-tree="${form.id}"]`) !== null;
}

/** @param {string} id */
function settle(id) {
  document.getElementById(`grip-${id}`)?.focus();
  const row = document.getElementById(`group-${id}`);
  const status = document.querySelector("[data-tree-status]");
  const tree = row?.closest("[data-tree]");
  if (!row || !(tree instanceof HTMLElement) || !(status instanceof HTMLElement)) return;
  const beside = siblings(tree, row.dataset.parent ?? "");
  const words = status.dataset.treeStatus ?? "";
  status.textContent = words.replace("{place}", String(beside.indexOf(row) + 1)).replace("{count}", String(beside.length));
}

/** @param {HTMLElement} tree @param {KeyboardEvent} event */
function byKey(tree, event) {
  const grip = event.target instanceof Element ? event.target.closest("[data-tree-grip]") : null;
  const row = grip?.closest("[data-tree-item]");
  if (!(row instanceof HTMLElement) || !event.key.startsWith("Arrow")) return;
  event.preventDefault();
  const place = step(tree, row, event.key);
  if (place) send(tree, row, place);
}

/** @param {HTMLElement} tree @param {HTMLElement} row @param {string} key @returns {Place | null} */
function step(tree, row, key) {
  const parent = row.dataset.parent ?? "";
  const beside = siblings(tree, parent);
  const at = beside.indexOf(row);
  if (key === "ArrowUp") return at > 0 ? { parent, before: idOf(beside[at - 1]) } : null;
  if (key === "ArrowDown") return at + 1 < beside.length ? { parent, before: idOf(beside[at + 2]) } : null;
  if (key === "ArrowRight") return at > 0 ? { parent: idOf(beside[at - 1]), before: "" } : null;
  const above = tree.querySelector(`[data-tree-item="${parent}"]`);
  return parent && above instanceof HTMLElement ? after(tree, above) : null;
}

/** @param {HTMLElement} tree @param {PointerEvent} event */
function byPointer(tree, event) {
  const grip = event.target instanceof Element ? event.target.closest("[data-tree-grip]") : null;
  const row = grip?.closest("[data-tree-item]");
  if (!(grip instanceof HTMLElement) || !(row instanceof HTMLElement) || event.button !== 0) return;
  const taken = new Set([row, ...below(tree, row)]);
  /** @type {Drop | null} */
  let drop = null;
  grip.setPointerCapture(event.pointerId);

  /** @param {PointerEvent} at */
  const move = (at) => {
    for (const one of taken) one.classList.add("is-dragged");
    drop = dropAt(tree, taken, at);
    mark(tree, drop);
  };
  const stop = () => {
    grip.removeEventListener("pointermove", move);
    removeEventListener("keydown", escape, true);
    for (const one of taken) one.classList.remove("is-dragged");
    mark(tree, null);
  };
  /** @param {KeyboardEvent} pressed */
  const escape = (pressed) => {
    if (pressed.key !== "Escape") return;
    pressed.stopPropagation();
    drop = null;
    stop();
  };
  grip.addEventListener("pointermove", move);
  addEventListener("keydown", escape, true);
  grip.addEventListener("pointercancel", stop, { once: true });
  grip.addEventListener("pointerup", () => {
    stop();
    if (drop) send(tree, row, placeOf(tree, row, drop));
  }, { once: true });
}

/** Above the middle of a row is before it, below is after it, the middle is into it. Nothing comes before a fixed row. */
/** @param {HTMLElement} tree @param {Set<HTMLElement>} taken @param {PointerEvent} at @returns {Drop | null} */
function dropAt(tree, taken, at) {
  for (const row of items(tree)) {
    const { top, height } = row.getBoundingClientRect();
    if (at.clientY < top || at.clientY >= top + height) continue;
    if (taken.has(row)) return null;
    const share = (at.clientY - top) / height;
    if (share < EDGE && row.dataset.fixed === undefined) return { row, side: "before" };
    return { row, side: share > 1 - EDGE ? "after" : "into" };
  }
  return null;
}

/** After a group that has groups below it, there is only the place before the first of these. */
/** @param {HTMLElement} tree @param {HTMLElement} row @param {Drop} drop @returns {Place} */
function placeOf(tree, row, drop) {
  const parent = drop.row.dataset.parent ?? "";
  if (drop.side === "into") return { parent: idOf(drop.row), before: "" };
  if (drop.side === "before") return { parent, before: idOf(drop.row) };
  const inside = siblings(tree, idOf(drop.row)).filter((one) => one !== row);
  return inside.length ? { parent: idOf(drop.row), before: idOf(inside[0]) } : after(tree, drop.row, row);
}

/** @param {HTMLElement} tree @param {HTMLElement} row @param {HTMLElement} [without] @returns {Place} */
function after(tree, row, without) {
  const parent = row.dataset.parent ?? "";
  const beside = items(tree).filter((one) => (one.dataset.parent ?? "") === parent && one !== without);
  return { parent, before: idOf(beside[beside.indexOf(row) + 1]) };
}

/** @param {HTMLElement} tree @param {HTMLElement} row @param {Place} place */
function send(tree, row, place) {
  const form = document.getElementById(tree.dataset.tree ?? "");
  if (!(form instanceof HTMLFormElement)) return;
  moved = idOf(row);
  for (const [name, value] of Object.entries({ group_id: moved, parent_id: place.parent, before_id: place.before })) {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLInputElement) field.value = value;
  }
  form.requestSubmit();
}

/** @param {HTMLElement} tree @param {Drop | null} drop */
function mark(tree, drop) {
  for (const row of items(tree)) row.classList.remove(...SIDES);
  if (drop) drop.row.classList.add(`is-drop-${drop.side}`);
}

/** @param {HTMLElement} tree @param {HTMLElement} row @returns {HTMLElement[]} */
function below(tree, row) {
  return items(tree).filter((one) => (one.dataset.parent ?? "") === idOf(row)).flatMap((one) => [one, ...below(tree, one)]);
}

/** The groups below one parent that can be moved. @param {HTMLElement} tree @param {string} parent @returns {HTMLElement[]} */
function siblings(tree, parent) {
  return items(tree).filter((row) => (row.dataset.parent ?? "") === parent && row.dataset.fixed === undefined);
}

/** @param {HTMLElement} tree @returns {HTMLElement[]} */
function items(tree) {
  return [...tree.querySelectorAll("[data-tree-item]")].filter((row) => row instanceof HTMLElement);
}

/** @param {HTMLElement | undefined} row */
function idOf(row) {
  return row?.dataset.treeItem ?? "";
}
