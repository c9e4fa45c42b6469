// Fields that hold what a script can make: lines that are added and taken away, and generated identifiers.
import { on } from "./page.js";

const changed = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));

on("click", "[data-add-line]", (event, button) => {
  const lines = button.closest("[data-lines]");
  const line = lines.querySelector("template").content.firstElementChild.cloneNode(true);
  lines.querySelector("tbody").append(line);
  line.querySelector("input").focus();
  changed(line.querySelector("input"));
});
on("click", "[data-remove-line]", (event, button) => {
  const lines = button.closest("[data-lines]");
  button.closest("tr").remove();
  lines.querySelector("[data-add-line]").focus();
  changed(lines);
});

/** A random UUID (RFC 9562, version 4), also where the page is not served over TLS. */
function uuid() {
  const octets = crypto.getRandomValues(new Uint8Array(16));
  octets[6] = (octets[6] & 0x0f) | 0x40;
  octets[8] = (octets[8] & 0x3f) | 0x80;
  const digits = Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
on("click", "[data-make-guid]", (event, button) => {
  const field = document.getElementById(button.dataset.makeGuid);
  field.value = uuid();
  changed(field);
});
