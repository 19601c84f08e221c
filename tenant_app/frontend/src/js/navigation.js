import { whenPresent } from "./presence.js";
import { remember } from "./memory.js";

const root = document.documentElement;

whenPresent("[data-navigation-toggle]", (button) => {
  const show = () => button.setAttribute("aria-expanded", String(root.dataset.navigation !== "collapsed"));
  button.addEventListener("click", () => {
    const collapsed = root.dataset.navigation !== "collapsed";
    if (collapsed) root.dataset.navigation = "collapsed";
    else delete root.dataset.navigation;
    remember("navigation", collapsed ? "collapsed" : "open");
    show();
  });
  show();
});
