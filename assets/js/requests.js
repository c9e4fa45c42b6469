// Requests of htmx: the token, the loading bar after 300 ms, and trouble shown in place with the input kept.
import htmx from "htmx.org/dist/htmx.esm.js";
import { on, prepared } from "./page.js";
import { topLayer } from "./layers.js";

const SLOW_MS = 300;
const running = new Map(); // request → what shows that it is slow

document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.verb !== "get") {
    detail.headers["X-CSRFToken"] = document.querySelector("meta[name=csrf-token]")?.content ?? "";
    return;
  }
  for (const name of new Set(detail.formData.keys())) {
    const filled = detail.formData.getAll(name).filter((value) => value !== "");
    detail.formData.delete(name);
    for (const value of filled) detail.formData.append(name, value);
  }
});

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.elt.closest("[data-live], [data-quiet]")) return;
  const button = detail.requestConfig.triggeringEvent?.submitter ?? (detail.elt.matches("button") ? detail.elt : null);
  const list = detail.target?.id === "list" ? detail.target : null;
  const timer = setTimeout(() => {
    document.body.classList.add("is-slow");
    button?.setAttribute("aria-busy", "true");
    list?.querySelector(".list")?.classList.add("is-loading");
  }, SLOW_MS);
  running.set(detail.xhr, () => {
    clearTimeout(timer);
    button?.removeAttribute("aria-busy");
    list?.querySelector(".list")?.classList.remove("is-loading");
  });
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  running.get(detail.xhr)?.();
  running.delete(detail.xhr);
  if (!running.size) document.body.classList.remove("is-slow");
  if (detail.xhr.status >= 200 && detail.xhr.status < 400) clearTrouble();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status !== 401) return;
  event.detail.shouldSwap = false;
  const parsed = new DOMParser().parseFromString(xhr.responseText, "text/html");
  showTrouble(parsed.body.firstElementChild ?? prepared("trouble"), event.detail);
});

for (const kind of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(kind, ({ detail }) => {
    if (detail.xhr?.status === 401 || detail.elt.closest("[data-live], [data-quiet]")) return;
    const banner = prepared("trouble");
    const reference = detail.xhr?.getResponseHeader?.("X-Request-Id");
    const status = detail.xhr?.status || "";
    const place = banner.querySelector("[data-reference]");
    place.textContent = [status, reference].filter(Boolean).join(" · ");
    place.hidden = !place.textContent;
    showTrouble(banner, detail);
  });
}

/** The banner stands at the top of the layer in front; its button sends the same request again. */
function showTrouble(banner, { elt: told, requestConfig }) {
  const elt = requestConfig?.elt ?? told; // an event about an answer tells where the answer goes, not who asked
  clearTrouble();
  banner.dataset.trouble = "";
  const layer = topLayer();
  const place = layer?.querySelector(".dr-b") ?? layer ?? document.getElementById("main") ?? document.body;
  place.prepend(banner);
  banner.scrollIntoView({ block: "nearest" });
  banner.querySelector("[data-again]")?.addEventListener("click", async () => {
    await renewToken();
    const event = requestConfig?.triggeringEvent;
    if (elt.matches("form")) elt.requestSubmit(event?.submitter?.isConnected ? event.submitter : undefined);
    else if (elt.isConnected && elt !== document.body) htmx.trigger(elt, event?.type ?? "click");
    else htmx.ajax(requestConfig.verb, requestConfig.path, { target: requestConfig.target });
  });
}

/** A log-in in another tab has made the page's token worthless: the new one comes with the page as it is now. */
async function renewToken() {
  const meta = document.querySelector("meta[name=csrf-token]");
  try {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    const token = page.querySelector("meta[name=csrf-token]")?.content;
    if (!token) return;
    for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) field.value = token;
    meta.content = token;
  } catch {
    // no answer at all: sending again will say so
  }
}

function clearTrouble() {
  for (const banner of document.querySelectorAll("[data-trouble]")) banner.remove();
}

on("click", "[data-dismiss]", (event, button) => button.closest(".note")?.remove());
