// Live parts: data-live="seconds" data-live-url are asked for again and again, unless paused, out of sight, or the pointer
// is on a row. The mark beside the title says how old the picture is.
import htmx from "htmx.org/dist/htmx.esm.js";
import { on, onPart } from "./page.js";

const LATE_FACTOR = 4;
const BACKGROUND = { "Relais-Background": "1" }; // asked by the page itself: no activity of the person
let shownAt = Date.now();
let paused = false;
let waiting = false;

const region = () => document.querySelector("[data-live]");

function tell() {
  const mark = document.querySelector("[data-live-age]");
  if (!mark || !region()) return;
  const age = Math.max(0, Math.round((Date.now() - shownAt) / 1000));
  const state = paused ? "paused" : age > LATE_FACTOR * Number(region().dataset.live) ? "late" : "fresh";
  mark.dataset.state = state;
  mark.textContent = mark.dataset[state].replace("%", String(age));
}

async function renew() {
  const part = region();
  if (!part || paused || waiting || document.hidden || part.querySelector("tbody tr:hover")) return;
  waiting = true;
  try {
    await htmx.ajax("GET", part.dataset.liveUrl, { source: part, target: part, swap: "innerHTML", headers: BACKGROUND });
  } finally {
    waiting = false;
  }
}

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful && detail.elt.matches?.("[data-live]")) shownAt = Date.now();
});
on("click", "[data-live-pause]", (event, button) => {
  paused = !paused;
  button.setAttribute("aria-pressed", String(paused));
  for (const part of button.querySelectorAll("[data-when]")) part.hidden = (part.dataset.when === "paused") !== paused;
  tell();
  renew();
});

let clock = 0;
let seconds = 0;
onPart(() => {
  if (clock || !region()) return;
  clock = setInterval(() => {
    seconds += 1;
    if (seconds % Number(region()?.dataset.live ?? 5) === 0) renew();
    tell();
  }, 1000);
});
// Places and sizes that are figures, not styles: the page may hold no style attribute, a script may set the property.
onPart((root) => {
  for (const part of root.querySelectorAll("[data-share]")) part.style.flexGrow = part.dataset.share;
  for (const part of root.querySelectorAll("[data-left-percent]")) part.style.left = `${part.dataset.leftPercent}%`;
});
