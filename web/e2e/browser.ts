// A Chromium in which any request but the page's own file fails the test, and so does any error on the page.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";

const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const folder = process.env["HORNBILL_PAGES"] ?? "";
export const facts = (folder && existsSync(join(folder, "facts.json")) ? JSON.parse(readFileSync(join(folder, "facts.json"), "utf8")) : {}) as Facts;

export interface Facts {
  layers: Record<string, { name: string; class: string }[]>;
  blank: Record<string, number[]>;
  /** Cells, and the box on the input whose NaNs reach them in Hornbill; null: none do. */
  fields: Record<string, { layer: string; cell: number[]; box: [number, number][] | null }[]>;
}
export interface Options { language?: "en" | "zh"; theme?: "light" | "dark"; layer?: string; tab?: string; width?: number; height?: number; reducedMotion?: boolean }
export interface Opened { page: Page; trouble: string[]; close: () => Promise<void> }

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: process.env["HORNBILL_CHROMIUM"] ?? "/usr/bin/chromium", args: ARGUMENTS });

export async function open(browser: Browser, name: string, options: Options = {}): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 }, colorScheme: options.theme ?? "light", locale: options.language === "zh" ? "zh-CN" : "en-US",
    ...(options.reducedMotion ? { reducedMotion: "reduce" as const } : {}),
  });
  const page = await context.newPage();
  const trouble: string[] = [];
  const own = pathToFileURL(join(folder, `${name}.html`)).href;
  await context.route("**", (route) => {
    const url = route.request().url();
    if (url.split("#")[0] === own) return route.continue();
    trouble.push(`request: ${url.slice(0, 200)}`);
    return route.abort();
  });
  page.on("request", (request) => { if (request.url().split("#")[0] !== own && !request.url().startsWith("data:") && !request.url().startsWith("blob:")) trouble.push(`request: ${request.url().slice(0, 200)}`); });
  page.on("pageerror", (error) => trouble.push(`error: ${error.stack ?? error.message}`));
  page.on("console", (message) => { if (message.type() === "error" || message.type() === "warning") trouble.push(`console: ${message.text()}`); });
  const hash = new URLSearchParams({ ...(options.layer ? { layer: options.layer } : {}), ...(options.tab ? { tab: options.tab } : {}), ...(options.language ? { language: options.language } : {}) });
  await page.goto(`${own}#${hash.toString()}`);
  await page.waitForSelector(".work-body .panel", { state: "attached" });
  return { page, trouble, close: () => context.close() };
}

/** Goes to a layer and a part of it without loading the page again. */
export async function go(page: Page, layer: string, tab: string): Promise<void> {
  const number = async (): Promise<string> => page.locator(".work-head h2").innerText();
  while ((await number()) !== layer) {
    const next = page.locator(".work-head button").nth(1);
    if (await next.isDisabled()) throw new Error(`there is no layer ${layer} after this one`);
    await next.click();
  }
  await page.click(`#tab-${tab}`);
}
