/* Bundles the front end into ../static/dist: hashed files and manifest.json (logical name → file name). */
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "static", "dist");
const target = ["chrome123", "firefox125", "safari17.5"];
/** @type {Record<string, string>} */
const manifest = {};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

await bundle({ entryPoints: ["src/js/app.js", "src/css/app.css"], format: "esm" });
await bundle({ entryPoints: ["src/js/boot.js", "src/js/live-worker.js", "src/js/service-worker.js"], format: "iife" });
await emit("icons.svg", await sprite());
await emit("favicon.svg", await readFile(join(here, "src/favicon.svg"), "utf8"));
await writeFile(join(out, "axe.min.js"), await readFile(join(here, "node_modules/axe-core/axe.min.js")));
manifest["axe.min.js"] = "axe.min.js";
await writeFile(join(out, "manifest.json"), JSON.stringify(manifest, Object.keys(manifest).sort(), 2) + "\n");

/** @param {import("esbuild").BuildOptions} options */
async function bundle(options) {
  const result = await build({
    absWorkingDir: here,
    outdir: out,
    bundle: true,
    minify: true,
    metafile: true,
    target,
    entryNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    loader: { ".woff2": "file" },
    legalComments: "none",
    ...options,
  });
  for (const [file, { entryPoint }] of Object.entries(result.metafile.outputs)) {
    manifest[entryPoint ? basename(entryPoint) : assetName(file)] = basename(file);
  }
}

/** inter-latin-wght-normal-ABC123.woff2 → inter-latin.woff2. @param {string} file */
function assetName(file) {
  return basename(file).replace(/(-wght-normal)?-[A-Z0-9]{8}(?=\.\w+$)/, "");
}

/** One SVG of symbols from the Lucide icons named in src/icons.txt. */
async function sprite() {
  const names = (await readFile(join(here, "src/icons.txt"), "utf8")).split("\n").filter(Boolean);
  const symbols = await Promise.all(names.map(symbol));
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
}

/** @param {string} name */
async function symbol(name) {
  const source = await readFile(join(here, "node_modules/lucide-static/icons", `${name}.svg`), "utf8");
  const shapes = source.slice(source.indexOf(">", source.indexOf("<svg")) + 1, source.lastIndexOf("</svg>"));
  const stroke = 'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"';
  return `<symbol id="${name}" viewBox="0 0 24 24" ${stroke}>${shapes.replace(/\s+/g, " ").trim()}</symbol>`;
}

/** @param {string} name @param {string} text */
async function emit(name, text) {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 8);
  const file = `${basename(name, extname(name))}-${hash}${extname(name)}`;
  await writeFile(join(out, file), text);
  manifest[name] = file;
}
