/* Changes as they happen. data-live="ticket:17 contact" names what an element shows; it gets the event "live" when that
   changes, and hx-get with hx-trigger="live" brings it up to date. All tabs of a browser share one stream. */
import { EVERYTHING, openStream } from "./stream.js";

/** @typedef {import("./stream.js").LiveMessage} LiveMessage */

const GATHER_MS = 80;
/* Clocks of several servers may differ a little; a refresh too many does no harm. */
const TOLERANCE_S = 1;
const { liveWorker, viewer, askedAt = "0" } = document.documentElement.dataset;
/** @type {Set<Element>} */
const touched = new Set();

if (liveWorker) {
  if (typeof SharedWorker === "function") listenToWorker(liveWorker);
  else listenByLeader();
}

/** @param {string} url */
function listenToWorker(url) {
  const { port } = new SharedWorker(url, { name: `live ${viewer}` });
  port.addEventListener("message", ({ data }) => hear(data));
  port.start();
  addEventListener("pagehide", () => port.postMessage("bye"));
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    port.postMessage("hello");
    hear({ topic: EVERYTHING, ids: [] });
  });
}

/** Without SharedWorker: the tab that gets the lock holds the stream and tells the others. */
function listenByLeader() {
  const channel = new BroadcastChannel(`live ${viewer}`);
  channel.addEventListener("message", ({ data }) => hear(data));
  void navigator.locks.request(`live ${viewer}`, () => {
    openStream((message) => {
      channel.postMessage(message);
      hear(message);
    });
    return new Promise(() => {});
  });
}

/** @param {LiveMessage} message */
function hear(message) {
  if (message.at !== undefined && message.at < Number(askedAt) - TOLERANCE_S) return;
  for (const element of document.querySelectorAll("[data-live]")) {
    if (concerns(element.getAttribute("data-live") ?? "", message)) touch(element);
  }
  document.dispatchEvent(new CustomEvent("live-message", { detail: message }));
}

/**
 * @param {string} topics what an element shows: "ticket:17 contact"
 * @param {LiveMessage} message
 */
function concerns(topics, { topic, ids }) {
  if (topic === EVERYTHING) return true;
  return topics.split(/\s+/).some((wanted) => {
    const [name, id] = wanted.split(":");
    return name === topic && (id === undefined || ids.length === 0 || ids.includes(Number(id)));
  });
}

/** Many changes at once are one refresh. @param {Element} element */
function touch(element) {
  if (touched.size === 0) setTimeout(tell, GATHER_MS);
  touched.add(element);
}

function tell() {
  const elements = [...touched];
  touched.clear();
  for (const element of elements) if (element.isConnected) element.dispatchEvent(new CustomEvent("live"));
}
