// The drawer has the record's own URL: opening pushes it, closing goes back to the list's. J and K go through the rows of
// the list behind. After a save or deletion the server says what to show (event `record-stored`).
import htmx from "htmx.org/dist/htmx.esm.js";
import { on, onPart, isTyping } from "./page.js";
import { showLayer, closeLayer, focusInto, say, toast, topLayer } from "./layers.js";
import { mayLeave, forget } from "./form.js";

const drawer = () => document.getElementById("drawer");
const list = () => document.getElementById("list");
const rows = () => [...document.querySelectorAll("#list tr[data-href]")];
const pathOf = (url) => new URL(url, location.href).pathname;
let lastPath = ""; // of the record shown last
let lastIndex = -1;
let home = ""; // where the drawer was opened from, on a page without a list

const listUrl = () => list()?.querySelector("[data-list-url]")?.dataset.listUrl;

/** The rows behind, as they are stored now. */
async function renewList() {
  if (list()) await htmx.ajax("GET", listUrl(), { target: "#list", swap: "innerHTML" });
}

function indexOfShown() {
  return rows().findIndex((row) => location.pathname.startsWith(pathOf(row.dataset.href)));
}

function rowToFocus() {
  const all = rows();
  const row = all.find((each) => pathOf(each.dataset.href) === lastPath) ?? all[Math.min(lastIndex, all.length - 1)];
  return row?.querySelector("a") ?? document.querySelector("#list a, #list button, #main a");
}

/** What stands in the drawer now: which row it is, whether there are neighbours. */
function mark() {
  const at = indexOfShown();
  rows().forEach((row, index) => row.classList.toggle("is-open", drawer()?.open && index === at));
  if (at >= 0) {
    lastIndex = at;
    lastPath = pathOf(rows()[at].dataset.href);
  }
  const [back, forth] = ["previous", "next"].map((name) => document.querySelector(`#drawer [data-go=${name}]`));
  if (back) back.disabled = at <= 0;
  if (forth) forth.disabled = at < 0 || at >= rows().length - 1;
}
onPart(mark);

export async function openDrawer(url, history = "push") {
  await htmx.ajax("GET", url, { target: "#drawer", swap: "innerHTML", [history]: "true" });
}

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.target?.id === "drawer" && !drawer().open) home = location.href;
});
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id !== "drawer") return;
  const title = drawer().querySelector("#drawer-title");
  showLayer(drawer(), rowToFocus);
  if (document.activeElement === document.body || drawer().contains(document.activeElement)) focusInto(drawer());
  if (title && document.activeElement?.closest(".fgrid")) say(title.textContent);
});

document.addEventListener("layer:closing", (event) => {
  if (event.target !== drawer() || mayLeave(drawer(), () => closeLayer(drawer()))) return;
  event.preventDefault();
});
on("close", "#drawer", (event, element) => {
  if (event.target !== element) return;
  forget(element);
  element.replaceChildren();
  const back = listUrl() ?? home;
  if (back) history.pushState({ htmx: true }, "", back);
  if (document.activeElement === document.body) rowToFocus()?.focus();
  for (const row of rows()) row.classList.remove("is-open");
}, true);

function go(step) {
  const row = rows()[indexOfShown() + step];
  if (!row || indexOfShown() < 0) return;
  const move = () => openDrawer(row.dataset.href, "replace");
  if (mayLeave(drawer(), move)) move();
}
on("click", "[data-go]", (event, button) => go(button.dataset.go === "next" ? 1 : -1));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || topLayer() !== drawer() || !topLayer()) return;
  if (event.key === "j" || event.key === "J") go(1);
  else if (event.key === "k" || event.key === "K") go(-1);
});

document.addEventListener("record-stored", async ({ detail }) => {
  const dialog = document.getElementById("dialog");
  if (dialog?.open) dialog.close();
  if (drawer()) forget(drawer());
  if (!list()) {
    const here = drawer()?.open && home ? home : location.href;
    const elsewhere = detail.page && pathOf(detail.url) !== pathOf(here); // a record with a page of its own, not this one
    location.assign(detail.closed || elsewhere ? detail.url : here);
    return;
  }
  await renewList();
  if (!detail.closed) await openDrawer(detail.url, "replace");
  else if (drawer().open) drawer().close();
  else rowToFocus()?.focus();
  toast(detail.message);
});
on("click", "[data-renew]", renewList);
on("close", "#dialog", (event, dialog) => {
  if (event.target !== dialog) return;
  const going = dialog.querySelector("[data-going]"); // what is done in steps stops; its rows may have changed already
  if (going) { htmx.trigger(going, "htmx:abort"); renewList(); }
  dialog.replaceChildren();
}, true);
