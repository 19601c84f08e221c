/** Elements as they come: on the page at first, or in a fragment later. */

/**
 * Calls `found` once for every element matching `selector`, now and whenever one is added.
 * @param {string} selector
 * @param {(element: HTMLElement) => void} found
 */
export function whenPresent(selector, found) {
  /** @type {WeakSet<Element>} */
  const seen = new WeakSet();
  /** @param {ParentNode} root */
  const look = (root) => {
    const matches = [...root.querySelectorAll(selector)];
    if (root instanceof HTMLElement && root.matches(selector)) matches.unshift(root);
    for (const element of matches) {
      if (!(element instanceof HTMLElement) || seen.has(element)) continue;
      seen.add(element);
      found(element);
    }
  };
  look(document);
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) if (node instanceof HTMLElement) look(node);
  }).observe(document.documentElement, { childList: true, subtree: true });
}
