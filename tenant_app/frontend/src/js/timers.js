/* <time data-timer="when it began" data-now="the server's clock"> counts up, by the server's clock: 0:07, 12:30, 1:05:00. */
import { whenPresent } from "./presence.js";

const TICK_MS = 1000;
const HOUR_S = 3600;
const MINUTE_S = 60;
/** @typedef {{ now: string, seen_ms: number }} Start */
/** @type {Map<HTMLElement, Start>} */
const running = new Map();

whenPresent("[data-timer]", (element) => {
  running.set(element, startOf(element));
  show(element);
});

setInterval(() => {
  for (const element of running.keys()) {
    if (element.isConnected) show(element);
    else running.delete(element);
  }
}, TICK_MS);

/** @param {HTMLElement} element @returns {Start} */
function startOf(element) {
  return { now: element.dataset.now ?? "", seen_ms: performance.now() };
}

/** @param {HTMLElement} element */
function show(element) {
  if (element.dataset.now !== running.get(element)?.now) running.set(element, startOf(element));
  const { now, seen_ms } = running.get(element) ?? startOf(element);
  const before_ms = Date.parse(now) - Date.parse(element.dataset.timer ?? "");
  const text = clock((before_ms + performance.now() - seen_ms) / 1000);
  if (element.textContent !== text) element.textContent = text;
}

/** @param {number} seconds @returns {string} */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / HOUR_S);
  const minutes = Math.floor((whole % HOUR_S) / MINUTE_S);
  const rest = String(whole % MINUTE_S).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}
