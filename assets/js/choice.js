// Searchable choices: a select with data-options-url asks the server while the user types; a long or multiple one is
// searched here. A field that depends on others sends their values, and is emptied when one of them changes; the server may
// say what stands there instead.
import TomSelect from "tom-select/base";
import removeButton from "tom-select/dist/esm/plugins/remove_button/plugin.js";
import { on, onPart, prepared } from "./page.js";

TomSelect.define("remove_button", removeButton);
const LONG_COUNT = 12;
const SEARCHABLE = "select[data-options-url], select[multiple], .fld select";

const dependsOn = (select) => (select.closest("[data-depends]")?.dataset.depends ?? "").split(" ").filter(Boolean);

function addressOf(select, term) {
  const form = select.form;
  const url = new URL(select.dataset.optionsUrl, form?.action || location.href);
  url.searchParams.set("term", term);
  for (const name of dependsOn(select)) {
    const control = form.elements.namedItem(name);
    if (control?.value) url.searchParams.set(name, control.value);
  }
  return url;
}

const settings = {
  maxOptions: 500,
  hidePlaceholder: false,
  copyClassesToDropdown: false,
  render: {
    no_results: () => prepared("no-choice"),
    loading: () => prepared("searching"),
  },
};

function remote(select) {
  return {
    ...settings,
    valueField: "value",
    labelField: "text",
    searchField: ["text"],
    preload: "focus",
    loadThrottle: 200,
    shouldLoad: () => true,
    score: () => () => 1, // the server has chosen
    onType() { // what was offered for another word must not be taken for this one
      this.clearOptions(this.isChosen);
      this.loadedSearches = {};
    },
    onInitialize() { this.isChosen = (option) => this.items.includes(String(option.value)); },
    load(term, done) {
      fetch(addressOf(select, term), { headers: { Accept: "application/json" } })
        .then((answer) => (answer.ok ? answer.json() : { options: [] }))
        .then(({ options }) => {
          if (term !== this.inputValue()) return done();
          this.clearOptions(this.isChosen);
          return done(options);
        })
        .catch(() => done());
    },
  };
}

/** "Create new" above what is found: the form sends the name behind "new:", and saving it makes the record. */
const creating = {
  create: (typed) => ({ value: `new:${typed.trim()}`, text: typed.trim() }),
  createFilter(typed) {
    const name = typed.trim().toLowerCase();
    return name !== "" && !Object.values(this.options).some(({ text }) => text.toLowerCase() === name);
  },
  render: {
    ...settings.render,
    option_create({ input }) {
      const line = prepared("create-choice");
      line.querySelector("[data-name]").textContent = input.trim();
      return line;
    },
  },
};

/** One of several is chosen: the word that found it goes, and what else there is comes back. */
const several = {
  onItemAdd() {
    this.setTextboxValue("");
    if (!this.settings.load) return;
    this.loadedSearches = {};
    this.load("");
  },
};

/** What the field holds now that another one has changed, until the person chooses. */
async function preselect(select) {
  const answer = await fetch(addressOf(select, ""), { headers: { Accept: "application/json" } });
  const { preselected } = answer.ok ? await answer.json() : {};
  if (!preselected || select.value || select.tomselect.isFocused) return;
  select.tomselect.addOption(preselected);
  select.tomselect.addItem(preselected.value);
}

/** A screen reader says what the field is and what it holds; what is offered, once somebody moves in it or types. */
function describe(choice, select) {
  const { control, control_input: input } = choice;
  const tell = () => {
    const chosen = [...control.querySelectorAll(".item")];
    chosen.forEach((item, index) => { item.id = `${select.id || select.name}-chosen-${index}`; });
    const by = [...chosen.map(({ id }) => id), select.getAttribute("aria-describedby")].filter(Boolean);
    if (by.length) input.setAttribute("aria-describedby", by.join(" "));
    else input.removeAttribute("aria-describedby");
  };
  for (const event of ["item_add", "item_remove", "clear"]) choice.on(event, tell);
  tell();
  let isAsked = false;
  choice.on("focus", () => { isAsked = false; });
  input.addEventListener("keydown", () => { isAsked = true; }, true);
  choice.hook("after", "setActiveOption", () => { if (!isAsked) input.removeAttribute("aria-activedescendant"); });
}

function setUp(root) {
  for (const select of root.querySelectorAll(SEARCHABLE)) {
    if (select.closest("[popover]:not(:popover-open)") && !root.matches("[popover]")) continue; // most menus are never opened
    const isRemote = select.dataset.optionsUrl !== undefined;
    if (select.tomselect || (!isRemote && !select.multiple && select.options.length <= LONG_COUNT)) continue;
    const words = select.multiple ? { ...several, plugins: { remove_button: { title: select.dataset.remove ?? "", append: true } } } : {};
    const made = select.dataset.create === undefined ? {} : creating;
    const choice = new TomSelect(select, { ...(isRemote ? remote(select) : settings), ...words, ...made });
    describe(choice, select);
    if (select.getAttribute("aria-invalid") === "true") choice.wrapper.classList.add("is-invalid");
  }
}
onPart(setUp);
on("beforetoggle", "[popover]", ({ newState }, menu) => { if (newState === "open") setUp(menu); }, true);

on("change", "form :is(select, input)", (event, control) => {
  if (!control.name) return;
  for (const select of control.form.querySelectorAll("[data-depends] select")) {
    if (!dependsOn(select).includes(control.name) || !select.tomselect) continue;
    select.tomselect.clear();
    select.tomselect.clearOptions();
    select.tomselect.loadedSearches = {};
    select.tomselect.wrapper.classList.remove("preloaded");
    if (select.dataset.preselects !== undefined && control.value) preselect(select);
  }
});
