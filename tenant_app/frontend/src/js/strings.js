/** Sentences for scripts, translated by the server into <script type="application/json" id="strings">. */

/** @type {Record<string, string>} */
const strings = JSON.parse(document.getElementById("strings")?.textContent ?? "{}");

/** @param {string} key */
export function sentence(key) {
  return strings[key] ?? key;
}
