/* A recording with its waveform: <div data-player> around an <audio>. The position is a range lying over the waveform, so
   that pressing, dragging and the arrow keys all seek. One recording plays at a time. Without scripts the browser's own
   controls stand there. */
import { whenPresent } from "./presence.js";
import { clock } from "./timers.js";

/** @typedef {{ audio: HTMLAudioElement, position: HTMLInputElement, toggle: HTMLButtonElement }} Parts */

/** @type {Set<HTMLAudioElement>} */
const known = new Set();

whenPresent("[data-player]", (player) => {
  const audio = player.querySelector("audio");
  const position = player.querySelector("[data-player-position]");
  const toggle = player.querySelector("[data-player-toggle]");
  if (!audio || !(position instanceof HTMLInputElement) || !(toggle instanceof HTMLButtonElement)) return;
  audio.controls = false;
  player.classList.add("is-ready");
  known.add(audio);
  listen(player, { audio, position, toggle });
});

/** @param {HTMLElement} player @param {Parts} parts */
function listen(player, { audio, position, toggle }) {
  const speed = player.querySelector("[data-player-speed]");
  let isDragged = false;
  const follow = () => {
    if (!isDragged) position.value = String(audio.currentTime);
    draw(player, position);
  };
  toggle.addEventListener("click", () => (audio.paused ? void play(player, audio) : audio.pause()));
  position.addEventListener("input", () => {
    isDragged = true;
    draw(player, position);
  });
  position.addEventListener("change", () => {
    isDragged = false;
    audio.currentTime = Number(position.value);
  });
  if (speed instanceof HTMLSelectElement) speed.addEventListener("change", () => (audio.playbackRate = Number(speed.value)));
  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, () => showState(player, toggle, audio));
  for (const name of ["timeupdate", "seeked"]) audio.addEventListener(name, follow);
  audio.addEventListener("play", () => requestAnimationFrame(() => smooth(audio, follow)));
  audio.addEventListener("error", () => player.classList.add("has-failed"));
}

/** @param {HTMLElement} player @param {HTMLAudioElement} audio */
async function play(player, audio) {
  for (const other of known) if (other !== audio) other.pause();
  player.classList.remove("has-failed");
  await audio.play().catch(() => player.classList.add("has-failed"));
}

/** Moves with every frame while it plays. @param {HTMLAudioElement} audio @param {() => void} follow */
function smooth(audio, follow) {
  if (audio.paused) return;
  follow();
  requestAnimationFrame(() => smooth(audio, follow));
}

/** @param {HTMLElement} player @param {HTMLButtonElement} toggle @param {HTMLAudioElement} audio */
function showState(player, toggle, audio) {
  const isPlaying = !audio.paused && !audio.ended;
  const word = (isPlaying ? player.dataset.pause : player.dataset.play) ?? "";
  toggle.setAttribute("aria-label", word);
  toggle.dataset.tooltip = word;
  player.classList.toggle("is-playing", isPlaying);
}

/** The part that was heard, and the time. @param {HTMLElement} player @param {HTMLInputElement} position */
function draw(player, position) {
  const at = Number(position.value);
  const share = at / (Number(position.max) || 1);
  const heard = /** @type {SVGElement | null} */ (player.querySelector("[data-player-heard]"));
  const width = heard?.ownerSVGElement?.viewBox.baseVal.width ?? 0;
  heard?.setAttribute("width", (width * share).toFixed(1));
  const time = player.querySelector("[data-player-time]");
  if (time && time.textContent !== clock(at)) {
    time.textContent = clock(at);
    position.setAttribute("aria-valuetext", `${clock(at)} / ${clock(Number(position.max))}`);
  }
}
