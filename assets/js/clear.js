// A field of a form that holds something offers to be emptied while it is pointed at or worked in: for the mouse alone, since
// keys empty a field without it.
import { on, prepared } from "./page.js";

const FIELDS = "input:not([type=checkbox], [type=radio], [type=file], [type=hidden], [type=password]), textarea, select:not([multiple])";

const holds = (field) => !field.disabled && !field.readOnly && field.value !== ""
  && (!field.matches("select") || [...field.options].some(({ value }) => value === ""));

function offer(place) {
  const fields = [...place.querySelectorAll(FIELDS)].filter((field) => !field.closest(".ts-control, .ts-dropdown"));
  let button = place.querySelector("[data-clear]");
  if (fields.length !== 1 || place.querySelector(".in-btn")) return;
  const [field] = fields;
  if (!button && holds(field)) {
    button = prepared("clear");
    (field.tomselect?.wrapper ?? field).after(button);
  }
  if (button) button.hidden = !holds(field);
}

for (const type of ["pointerover", "focusin", "input", "change"]) on(type, "form[data-guard] .fld", (event, place) => offer(place));

on("click", "[data-clear]", (event, button) => {
  const field = button.closest(".fld").querySelector(FIELDS);
  if (field.tomselect) field.tomselect.clear();
  else field.value = "";
  for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
  (field.tomselect ?? field).focus();
});
