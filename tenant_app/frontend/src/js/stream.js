/** The event stream /live: messages are {"topic": "ticket", "ids": [17], "at": seconds since 1970 on the server}. */

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30000;

/** @typedef {{ topic: string, ids: number[], at?: number }} LiveMessage */

/** The topic after a gap, said by the server or by us: anything may have changed. */
export const EVERYTHING = "refresh";

/**
 * Holds the stream open for good. After a break it says EVERYTHING once it stands again.
 * @param {(message: LiveMessage) => void} hear
 * @param {number} wait_ms until the next attempt, if the server refuses
 */
export function openStream(hear, wait_ms = FIRST_WAIT_MS, broken = false) {
  const source = new EventSource("/live");
  let gap = broken;
  let wait = wait_ms;
  source.addEventListener("open", () => {
    wait = FIRST_WAIT_MS;
    if (gap) hear({ topic: EVERYTHING, ids: [] });
    gap = false;
  });
  source.addEventListener("message", (event) => hear(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    gap = true;
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => openStream(hear, Math.min(wait * 2, LONGEST_WAIT_MS), true), wait);
  });
}
