/** What the browser remembers for one viewer; storage that is full or forbidden is no error, only forgetful. */

const viewer = document.documentElement.dataset.viewer ?? "";

/**
 * @param {string} key
 * @returns {unknown} what was remembered, or null
 */
export function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(`${key}:${viewer}`) ?? "null");
  } catch {
    return null;
  }
}

/** @param {string} key @param {unknown} value */
export function remember(key, value) {
  try {
    localStorage.setItem(`${key}:${viewer}`, JSON.stringify(value));
  } catch {
    console.warn("Nothing can be kept in this browser.");
  }
}

/** @param {string} key */
export function forget(key) {
  localStorage.removeItem(`${key}:${viewer}`);
}
