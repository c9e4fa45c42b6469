// The column chooser: find, tick, drag (or move by its buttons); what was changed is kept when the menu closes.
import htmx from "htmx.org/dist/htmx.esm.js";
import { on } from "./page.js";

let dragged = null;

on("input", "[data-find-column]", (event, field) => {
  const term = field.value.trim().toLowerCase();
  for (const item of field.closest("form").querySelectorAll(".item")) item.hidden = !item.textContent.toLowerCase().includes(term);
});
on("keydown", "[data-find-column]", (event) => { if (event.key === "Enter") event.preventDefault(); });

const changed = (element) => { element.closest("form").dataset.changed = ""; };
on("change", "[data-columns] input[type=checkbox]", (event, box) => changed(box));
on("click", "[data-columns] [data-move]", (event, button) => {
  const item = button.closest(".item");
  const other = button.dataset.move === "up" ? item.previousElementSibling : item.nextElementSibling;
  if (!other || other.matches("[data-fixed]")) return;
  if (button.dataset.move === "up") other.before(item);
  else other.after(item);
  changed(item);
  button.focus();
});
on("dragstart", "[data-columns] .item[draggable]", (event, item) => {
  dragged = item;
  event.dataTransfer.effectAllowed = "move";
  item.classList.add("is-dragged");
});
on("dragover", "[data-columns] .item[draggable]", (event, item) => {
  if (!dragged || dragged === item || dragged.parentElement !== item.parentElement) return;
  event.preventDefault();
  const { top, height } = item.getBoundingClientRect();
  if (event.clientY < top + height / 2) item.before(dragged);
  else item.after(dragged);
});
on("dragend", "[data-columns] .item", (event, item) => {
  item.classList.remove("is-dragged");
  dragged = null;
  changed(item);
});
on("click", "[data-columns-reset]", (event, button) => {
  const form = button.closest("form");
  for (const box of form.querySelectorAll("input[name=columns]")) box.checked = false;
  changed(form);
  form.closest("[popover]").hidePopover();
});
document.addEventListener("toggle", (event) => {
  const form = event.newState === "closed" ? event.target.querySelector?.("form[data-columns]") : null;
  if (form?.dataset.changed === undefined || !form) return;
  delete form.dataset.changed;
  htmx.trigger(form, "columns:changed");
}, true);
