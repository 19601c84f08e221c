/** The page's title in the browser's strip of tabs, where a call shows while another tab is looked at. */

const TURN_MS = 1000;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let own = document.title;
let timer = 0;

/**
 * While there are `words`, the title says them: in turns where the page is hidden and motion is wanted, else in front.
 * @param {string | null} words
 */
export function flashTitle(words) {
  clearInterval(timer);
  if (words === null) {
    if (timer) document.title = own;
    timer = 0;
    return;
  }
  if (!timer) own = document.title;
  const both = `${words} · ${own}`;
  document.title = both;
  timer = setInterval(() => {
    const inTurns = document.hidden && !calm.matches;
    document.title = inTurns && document.title === both ? own : both;
  }, TURN_MS);
}
