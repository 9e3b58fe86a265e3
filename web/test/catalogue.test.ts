import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { en } from "../src/i18n/en";
import { zh } from "../src/i18n/zh";

const holes = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!).sort();
const files = (folder: string): string[] => readdirSync(folder).flatMap((name) => (statSync(join(folder, name)).isDirectory() ? files(join(folder, name)) : [join(folder, name)]));

test("every English sentence has a Chinese one with the same holes", () => {
  for (const [key, text] of Object.entries(en)) expect([key, holes(zh[key] ?? "missing {}")]).toEqual([key, holes(text)]);
});

test("Chinese has nothing that English lacks, axis names aside", () => {
  expect(Object.keys(zh).filter((key) => !(key in en) && !key.startsWith("axis."))).toEqual([]);
});

test("every key that the source asks for exists", () => {
  const source = files(join(import.meta.dirname, "../src")).filter((f) => f.endsWith(".ts")).map((f) => readFileSync(f, "utf8")).join("\n");
  const asked = [...source.matchAll(/\bt\("([a-z0-9.]+)"/g), ...source.matchAll(/key: "([a-z]+\.[a-z.]+)"/g)].map((m) => m[1]!);
  expect([...new Set(asked)].filter((key) => !(key in en))).toEqual([]);
});
