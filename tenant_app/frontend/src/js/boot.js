/* Runs before the first paint: how wide the frame's parts are, so that nothing jumps. */
(() => {
  const root = document.documentElement;
  const viewer = root.dataset.viewer;
  if (!viewer) return;
  /** @param {string} key */
  const recall = (key) => {
    try {
      return JSON.parse(localStorage.getItem(`${key}:${viewer}`) ?? "null");
    } catch {
      return null;
    }
  };
  if (recall("navigation") === "collapsed") root.dataset.navigation = "collapsed";
  if (recall("panel-open") === true && matchMedia("(min-width: 1100px)").matches) root.dataset.panel = "open";
  const width = recall("panel-width");
  if (typeof width === "number") root.style.setProperty("--panel-width", `${width}px`);
})();
