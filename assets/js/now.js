// Cells that tell how things are now: data-cell="key" in a list or a drawer, with data-now="url" and data-every="seconds". While
// one is in sight the URL is asked again and again; its JSON has the HTML of each key. A picture too old is marked as such.
import { onPart } from "./page.js";

const BACKGROUND = { "Relais-Background": "1", Accept: "application/json" }; // no activity of the person
const STALE_FACTOR = 4;
let renewedAt = Date.now();
let waiting = false;

const cells = () => [...document.querySelectorAll("[data-cell][data-now]")];

async function renew(url) {
  waiting = true;
  try {
    const answer = await fetch(url, { headers: BACKGROUND });
    if (!answer.ok || answer.redirected) return;
    const told = await answer.json();
    renewedAt = Date.now();
    for (const cell of cells()) {
      const html = told[cell.dataset.cell];
      if (html !== undefined && cell.innerHTML !== html) cell.innerHTML = html;
    }
  } catch {
    // the server is away: the cells are marked as old below
  } finally {
    waiting = false;
  }
}

function look() {
  const [first] = cells();
  if (!first) {
    renewedAt = Date.now();
    return;
  }
  const everyMs = Number(first.dataset.every) * 1000;
  const age = Date.now() - renewedAt;
  for (const cell of cells()) cell.classList.toggle("t3", age > STALE_FACTOR * everyMs);
  if (age >= everyMs && !waiting && !document.hidden) renew(first.dataset.now);
}

let clock = 0;
onPart(() => {
  const [first] = cells();
  if (!first) return;
  if (!waiting) renew(first.dataset.now); // what takes two looks, as a rate does, is not in the page yet
  clock ||= setInterval(look, 1000);
});
