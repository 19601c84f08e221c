/* One event stream for all tabs of a browser. Runs as a SharedWorker named after its viewer. */
import { openStream } from "./stream.js";

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
});

openStream((message) => {
  for (const port of ports) port.postMessage(message);
});
