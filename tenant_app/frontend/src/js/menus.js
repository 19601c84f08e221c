/* Menus stand beside their button; arrows, Home and End move inside. Closing is the popover's own. */
import { whenPresent } from "./presence.js";

const GAP_PX = 4;

whenPresent("[data-menu]", (menu) => {
  const button = document.querySelector(`[popovertarget="${menu.id}"]`);
  menu.addEventListener("beforetoggle", (event) => {
    if (event instanceof ToggleEvent && event.newState === "open" && button) place(menu, button.getBoundingClientRect());
  });
  menu.addEventListener("toggle", (event) => {
    if (event instanceof ToggleEvent && event.newState === "open") items(menu)[0]?.focus({ preventScroll: true });
  });
  menu.addEventListener("keydown", (event) => move(menu, event));
  menu.dataset.placed = "";
});

/** Below the button, or above it in the lower half of the window; on the side where there is room. */
/** @param {HTMLElement} menu @param {DOMRect} box */
function place(menu, box) {
  const below = box.bottom < innerHeight * 0.6;
  const fromLeft = box.left < innerWidth / 2;
  menu.style.top = below ? `${box.bottom + GAP_PX}px` : "auto";
  menu.style.bottom = below ? "auto" : `${innerHeight - box.top + GAP_PX}px`;
  menu.style.left = fromLeft ? `${Math.max(box.left, 8)}px` : "auto";
  menu.style.right = fromLeft ? "auto" : `${Math.max(document.documentElement.clientWidth - box.right, 8)}px`;
}

/** @param {HTMLElement} menu @param {KeyboardEvent} event */
function move(menu, event) {
  const all = items(menu);
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined || all.length === 0) return;
  event.preventDefault();
  all[to % all.length]?.focus();
}

/** @param {HTMLElement} menu @returns {HTMLElement[]} */
function items(menu) {
  return [...menu.querySelectorAll("a[href], button:not(:disabled)")].filter((item) => item instanceof HTMLElement);
}
