// Builds the page: script and style bundled by Vite, put inline into one HTML file with a content security policy
// that names both by hash. `--check` builds and compares with the file in the Python package instead of writing it.
import { createHash } from "node:crypto";
import { readFile, writeFile, mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const target = resolve(here, "../src/hornbill/explain/page/assets/page.html");

const result = await build({
  root: here,
  configFile: false,
  logLevel: "warn",
  build: {
    write: false,
    target: "es2022",
    cssCodeSplit: false,
    modulePreload: false,
    rollupOptions: {
      input: resolve(here, "src/main.ts"),
      output: { format: "iife", entryFileNames: "page.js", assetFileNames: "page[extname]" },
    },
  },
});
const files = (Array.isArray(result) ? result[0] : result).output;
const script = files.find((f) => f.type === "chunk").code.trim().replaceAll("</script", "<\\/script");
const style = String(files.find((f) => f.fileName.endsWith(".css")).source).trim();
const hash = (text) => `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;
const policy = [
  "default-src 'none'", `script-src ${hash(script)}`, `style-src ${hash(style)}`, "img-src data: blob:",
  "base-uri 'none'", "form-action 'none'",
].join("; ");
const html = (await readFile(resolve(here, "src/page.html"), "utf8"))
  .replace("%POLICY%", () => policy)
  .replace("%STYLE%", () => style)
  .replace("%SCRIPT%", () => script);

if (process.argv.includes("--check")) {
  const stored = await readFile(target, "utf8").catch(() => "");
  if (stored !== html) {
    console.error("The page in src/hornbill/explain/page/assets is not what web/ builds: run `npm run build` in web/.");
    process.exit(1);
  }
  console.log(`The stored page is what web/ builds (${html.length.toLocaleString("en")} characters).`);
} else {
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, html);
  console.log(`${target}: ${html.length.toLocaleString("en")} characters`);
}
