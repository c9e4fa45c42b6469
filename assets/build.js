// Bundles what the pages load into src/relais/pages/static/relais. Nothing in a bundle depends on a template:
// css/tabler-in-use.txt and icons.txt say what is taken over, so that a new page does not make a bundle stale.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import esbuild from "esbuild";
import { PurgeCSS } from "purgecss";

const here = import.meta.dirname;
const out = join(here, "../src/relais/pages/static/relais");
const modules = join(here, "node_modules");
const listed = (name) =>
  readFileSync(join(here, name), "utf8").split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("# "));

// Who is inside the bundles, in the order of LICENSES.txt.
const bundled = [
  "@tabler/core", "@tabler/icons", "@fontsource-variable/inter", "htmx.org", "@alpinejs/csp", "@vue/reactivity", "@vue/shared",
  "tom-select", "@orchidjs/sifter", "@orchidjs/unicode-variants", "echarts", "zrender", "tslib",
];

/** Tabler's style with only the classes in use, and only the variables those need. */
async function tabler() {
  const words = listed("css/tabler-in-use.txt");
  const [kept] = await new PurgeCSS().purge({
    content: [{ raw: words.join(" "), extension: "txt" }],
    css: [{ raw: readFileSync(join(modules, "@tabler/core/dist/css/tabler.min.css"), "utf8") }],
    safelist: { standard: [":root", "html", "body", /^\[/] },
    defaultExtractor: (text) => text.split(/\s+/),
    variables: true,
    keyframes: true,
    fontFace: true,
  });
  return kept.css;
}

/** One SVG with a symbol for each listed icon; the style draws their lines in the colour of the text around. */
function sprite() {
  const symbols = listed("icons.txt").map((name) => {
    const svg = readFileSync(join(modules, `@tabler/icons/icons/outline/${name}.svg`), "utf8");
    const shapes = svg
      .replace(/^[\s\S]*?<svg[^>]*>/, "").replace("</svg>", "")
      .replace(/<path stroke="none"[^>]*\/>/, "").replace(/\s*\n\s*/g, "");
    return `<symbol id="${name}" viewBox="0 0 24 24">${shapes}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

/** The licence of every bundled package; a package that ships none has its text in licences/. */
function licences() {
  return bundled.map((name) => {
    const folder = join(modules, name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const own = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)(\.\w+)?$/i.test(file)).sort();
    const paths = own.map((file) => join(folder, file));
    if (!paths.length) paths.push(join(here, "licences", `${name.replace("/", "-")}.txt`));
    const more = join(folder, "licenses");
    if (existsSync(more)) paths.push(...readdirSync(more).map((file) => join(more, file)));
    const texts = paths.map((path) => readFileSync(path, "utf8").trim());
    return `${"=".repeat(78)}\n${name} ${version} (${license})\n${"=".repeat(78)}\n\n${texts.join("\n\n")}\n`;
  }).join("\n");
}

/** The lock file without addresses: who wants to give money finds the authors by their packages' names. */
function tidyLock() {
  const path = join(here, "package-lock.json");
  const lock = JSON.parse(readFileSync(path, "utf8"));
  for (const entry of Object.values(lock.packages)) { delete entry.funding; delete entry.resolved; }
  writeFileSync(path, JSON.stringify(lock, null, 2) + "\n");
}

/** Every file the bundles are made from; check.py lists the same. */
function sources() {
  return readdirSync(here, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(modules) && !/^check\.py$|\.pyc$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(here.length + 1))
    .sort();
}

const sha256 = (content) => createHash("sha256").update(content).digest("hex");

tidyLock();
mkdirSync(out, { recursive: true });
const before = readdirSync(out);
const written = new Set(["relais.css", "relais.js", "components.js", "charts.js", "icons.svg", "mark.svg", "LICENSES.txt"]);
const common = { bundle: true, minify: true, legalComments: "none", charset: "utf8", absWorkingDir: here, logLevel: "warning" };
const virtualTabler = {
  name: "tabler",
  setup(build) {
    build.onResolve({ filter: /^tabler$/ }, () => ({ path: "tabler", namespace: "tabler" }));
    build.onLoad({ filter: /.*/, namespace: "tabler" }, async () => ({ contents: await tabler(), loader: "css", resolveDir: here }));
  },
};
const style = await esbuild.build({
  ...common, metafile: true, entryPoints: ["css/relais.css"], outdir: out, plugins: [virtualTabler], target: ["chrome123", "firefox120", "safari17.5"],
  loader: { ".woff2": "copy" }, assetNames: "[name]-[hash]",
});
await esbuild.build({
  ...common, entryPoints: ["js/relais.js", "js/components.js", "js/charts.js"], outdir: out, format: "iife", target: ["es2022"],
});
for (const path of Object.keys(style.metafile.outputs)) written.add(path.split("/").at(-1));
for (const name of before) if (!written.has(name)) rmSync(join(out, name));
copyFileSync(join(here, "images/mark.svg"), join(out, "mark.svg"));
writeFileSync(join(out, "icons.svg"), sprite());
writeFileSync(join(out, "LICENSES.txt"), licences());

const made = {};
for (const name of readdirSync(out).sort()) {
  const content = readFileSync(join(out, name));
  made[name] = { sha256: sha256(content), compressed_octets: name.endsWith(".woff2") ? content.length : gzipSync(content, { level: 9 }).length };
}
const read = Object.fromEntries(sources().map((name) => [name, sha256(readFileSync(join(here, name)))]));
writeFileSync(join(out, "assets.json"), JSON.stringify({ sources: read, bundles: made }, null, 1) + "\n");
for (const [name, { compressed_octets }] of Object.entries(made)) console.log(name.padEnd(44), String(compressed_octets).padStart(8));
