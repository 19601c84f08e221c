/** The panel's left edge: dragged, or moved by the arrow keys; the width is remembered. */
import { remember } from "./memory.js";

const NARROWEST_PX = 320;
const WIDEST_PX = 720;
const STEP_PX = 20;

/** @param {HTMLElement} panel */
export function watchGrip(panel) {
  const grip = panel.querySelector("[data-panel-grip]");
  if (!(grip instanceof HTMLElement)) return;
  grip.addEventListener("pointerdown", (event) => grip.setPointerCapture(event.pointerId));
  grip.addEventListener("pointermove", (event) => {
    if (grip.hasPointerCapture(event.pointerId)) setWidth(grip, panel.getBoundingClientRect().right - event.clientX);
  });
  grip.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: STEP_PX, ArrowRight: -STEP_PX }[event.key];
    if (step) setWidth(grip, panel.offsetWidth + step);
  });
}

/** @param {HTMLElement} grip @param {number} asked_px */
function setWidth(grip, asked_px) {
  const width = Math.round(Math.min(Math.max(asked_px, NARROWEST_PX), WIDEST_PX));
  document.documentElement.style.setProperty("--panel-width", `${width}px`);
  grip.setAttribute("aria-valuenow", String(width));
  remember("panel-width", width);
}
