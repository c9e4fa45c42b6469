// Lists whose order is set by hand: dragged, moved up, taken out or added to; the form around them is sent at once.
import htmx from "htmx.org/dist/htmx.esm.js";
import { on } from "./page.js";

const ITEM = "[data-order] .item[draggable]";
let dragged = null;
const changed = (element) => htmx.trigger(element.closest("form"), "order:changed");

on("dragstart", ITEM, (event, item) => {
  dragged = item;
  event.dataTransfer.effectAllowed = "move";
  item.classList.add("is-dragged");
});
on("dragover", ITEM, (event, item) => {
  if (!dragged || dragged === item || dragged.parentElement !== item.parentElement) return;
  event.preventDefault();
  const { top, height } = item.getBoundingClientRect();
  if (event.clientY < top + height / 2) item.before(dragged);
  else item.after(dragged);
});
on("dragend", ITEM, (event, item) => {
  item.classList.remove("is-dragged");
  dragged = null;
  changed(item);
});
on("click", "[data-order-up]", (event, button) => {
  const item = button.closest(".item");
  if (!item.previousElementSibling?.matches(".item")) return;
  item.previousElementSibling.before(item);
  changed(item);
});
on("click", "[data-order-remove]", (event, button) => {
  const form = button.closest("form");
  button.closest(".item").remove();
  changed(form);
});
on("change", "[data-order-add]", (event, select) => changed(select));

// A dialog whose form changes a part of the page behind it closes when that is done.
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful && detail.requestConfig.verb === "post" && detail.elt.matches?.("[data-closes-dialog]")) detail.elt.closest("dialog")?.close();
});
