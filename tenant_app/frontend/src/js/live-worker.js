/* One event stream for all tabs of a browser. Runs as a SharedWorker named after its viewer. A tab that comes gets what
   was said in the last seconds too: its page may have been rendered just before. */
import { openStream } from "./stream.js";

const REMEMBERED_MS = 20000;
/** @type {{ at_ms: number, message: import("./stream.js").LiveMessage }[]} */
let recent = [];

/** @type {Set<MessagePort>} */
const ports = new Set();

addEventListener("connect", (event) => {
  const [port] = /** @type {MessageEvent} */ (event).ports;
  if (!port) return;
  ports.add(port);
  port.addEventListener("message", ({ data }) => {
    if (data === "bye") ports.delete(port);
    if (data === "hello") ports.add(port);
  });
  port.start();
  for (const { message } of recent) port.postMessage(message);
});

openStream((message) => {
  const now_ms = Date.now();
  recent = [...recent.filter(({ at_ms }) => now_ms - at_ms < REMEMBERED_MS), { at_ms: now_ms, message }];
  for (const port of ports) port.postMessage(message);
});
