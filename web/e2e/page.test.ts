import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { facts, folder, go, launch, open } from "./browser";

let browser: Browser;
beforeAll(async () => { browser = await launch(); });
afterAll(() => browser.close());

const NETWORKS = ["images", "series", "volumes", "first"];
const TABS = ["layer", "kernel", "maps", "cell", "field", "draw"];

describe("one number", () => {
  test.each(NETWORKS)("every cell of every layer of %s adds up to the stored activation", async (name) => {
    const { page, trouble, close } = await open(browser, name, { tab: "cell", layer: facts.layers[name]![0]!.name });
    let checked = 0;
    for (const layer of facts.layers[name]!) {
      await go(page, layer.name, "cell");
      if (layer.class === "InputLayer" || layer.class === "Sequential") continue;
      await page.waitForSelector(".cell-result .verdict, .cell-panel .empty");
      expect([layer.name, await page.locator(".cell-panel .empty").allInnerTexts()]).toEqual([layer.name, []]);
      await page.locator(".cell-where [role=gridcell]").focus();
      for (const key of ["ArrowRight", "ArrowDown", "End", "PageDown", "Home", "PageUp", "Home", "Enter"]) {
        await page.keyboard.press(key);
        const verdict = page.locator(".cell-result .verdict");
        const [sum, stored] = [Number(await verdict.getAttribute("data-sum")), Number(await verdict.getAttribute("data-stored"))];
        expect(Math.abs(sum - stored), `${layer.name} after ${key}`).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(stored)));
        expect(await verdict.getAttribute("class")).toContain("good");
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(20);
    expect(trouble).toEqual([]);
    await close();
  });

  test("a layer of the U-Net that is too big shows a piece of it, and says so", async () => {
    const { page, trouble, close } = await open(browser, "unet", { layer: "conv2d_9", tab: "cell" });
    await page.waitForSelector(".cell-result .verdict.good");
    expect(await page.locator(".cell-where .note").innerText()).toContain("Only this piece");
    expect(await page.locator(".cell-result .twin summary").innerText()).toMatch(/All [\d,]+ terms/);
    await go(page, "conv2d_transpose", "cell");
    await page.waitForSelector(".cell-result .verdict.good");
    expect(trouble).toEqual([]);
    await close();
  });

  test("the table twin holds every term, and its products add up", async () => {
    const { page, close } = await open(browser, "images", { layer: "grouped", tab: "cell" });
    await page.waitForSelector(".cell-result .verdict");
    await page.click(".cell-result .twin summary");
    await page.waitForSelector(".cell-result .twin tbody tr");
    const products = await page.locator(".cell-result .twin tbody tr td:last-child").allInnerTexts();
    expect(products).toHaveLength(3 * 3 * 2); // 8 channels in 4 groups
    const sum = products.reduce((a, text) => a + Number(text.replace("−", "-")), 0);
    expect(sum).toBeCloseTo(Number((await page.locator(".equation .named").first().innerText()).split("\n")[0]!.replace("−", "-")), 4);
    await close();
  });
});

describe("inference in the page", () => {
  test.each(NETWORKS)("%s gives Hornbill's numbers in every layer", async (name) => {
    const { page, trouble, close } = await open(browser, name, { tab: "draw" });
    const verdict = page.locator(".draw-check .verdict");
    await verdict.waitFor();
    expect(Number(await verdict.getAttribute("data-worst"))).toBeLessThanOrEqual(1e-4);
    await page.click(".draw-check summary");
    await expect.poll(() => page.locator(".draw-check tbody tr").count()).toBeGreaterThanOrEqual(facts.layers[name]!.length - 2);
    expect(trouble).toEqual([]);
    await close();
  });

  test("an empty field gives what Hornbill says of an empty image, and drawing changes maps and numbers", async () => {
    const { page, trouble, close } = await open(browser, "digits", { tab: "draw", layer: "first_look" });
    await page.waitForSelector(".draw-answer .bar-value");
    await page.click("text=Clear");
    await page.waitForSelector(".example[aria-label='what you drew']");
    await expect.poll(() => answers(page)).toHaveLength(10);
    await expect.poll(async () => Math.max(...(await answers(page)).map((v, i) => Math.abs(v - facts.blank["digits"]![i]!)))).toBeLessThan(1e-4);
    const before = await answers(page);
    const pad = (await page.locator(".draw-pad").boundingBox())!;
    await page.mouse.move(pad.x + pad.width / 2, pad.y + 20);
    await page.mouse.down();
    await page.mouse.move(pad.x + pad.width / 2, pad.y + pad.height - 20, { steps: 12 });
    await page.mouse.up();
    await expect.poll(async () => (await answers(page)).some((v, i) => Math.abs(v - before[i]!) > 1e-3)).toBe(true);
    await page.click("#tab-maps");
    expect(await page.locator(".tile").count()).toBe(32);
    await page.click("#tab-cell");
    await page.waitForSelector(".cell-result .verdict.good");
    expect(trouble).toEqual([]);
    await close();
  });

  test("drawing works by keyboard", async () => {
    const { page, close } = await open(browser, "digits", { tab: "draw" });
    await page.waitForSelector(".draw-answer .bar-value");
    await page.click("text=Clear");
    await expect.poll(async () => Math.max(...(await answers(page)).map((v, i) => Math.abs(v - facts.blank["digits"]![i]!)))).toBeLessThan(1e-4);
    const before = await answers(page);
    await page.locator(".draw-pad").focus();
    for (const key of ["Space", "ArrowDown", "Space", "ArrowDown", "Space"]) await page.keyboard.press(key);
    await expect.poll(async () => (await answers(page)).some((v, i) => Math.abs(v - before[i]!) > 1e-3)).toBe(true);
    await expect.poll(() => page.locator("#live").innerText()).toContain("row");
    await close();
  });

  test("a dropped picture is read, without any request", async () => {
    const { page, trouble, close } = await open(browser, "digits", { tab: "draw" });
    await page.waitForSelector(".draw-answer .bar-value");
    await page.locator("input[type=file]").setInputFiles(join(folder, "digit.png"));
    await page.waitForSelector(".example[aria-label='what you drew']");
    expect(trouble).toEqual([]);
    await close();
  });

  test("a network that cannot run here says why", async () => {
    const { page, close } = await open(browser, "unet", { tab: "draw" });
    expect(await page.locator(".draw-panel").innerText()).toMatch(/cannot run in the page.*too large/s);
    await close();
  });
});

async function answers(page: import("playwright-core").Page): Promise<number[]> {
  return (await page.locator(".draw-answer .bar-value").evaluateAll((all) => all.map((e) => Number(e.getAttribute("data-value")))));
}

describe("sizes and motion", () => {
  test("sliders work the rule out live", async () => {
    const { page, trouble, close } = await open(browser, "digits", { tab: "kernel", layer: "second_look" });
    await page.click("text=2D image");
    const set = (name: string, value: number): Promise<void> => page.locator(".slider", { hasText: name }).first().locator("input").fill(String(value));
    const outcome = (): Promise<string> => page.locator(".outcome").innerText();
    await set("size", 28);
    await set("kernel", 3);
    expect(await outcome()).toContain("28 × 28 × 1 in, 26 × 26 × 1 out, 10 parameters");
    await set("stride", 2);
    expect(await outcome()).toContain("13 × 13 × 1 out");
    await set("dilation", 2);
    expect(await outcome()).toContain("12 × 12 × 1 out");
    await page.locator(".choice", { hasText: "padding" }).locator("select").selectOption("same");
    expect(await outcome()).toContain("14 × 14 × 1 out");
    expect(await page.locator(".worked code").innerText()).toBe("layers.Conv2D(1, 3, strides=2, padding='same', dilation_rate=2)");
    await page.locator(".choice", { hasText: "kind" }).locator("select").selectOption("transposed");
    expect(await outcome()).toContain("56 × 56 × 1 out");
    expect(trouble).toEqual([]);
    await close();
  });

  test.each([["2D image", 25], ["RGB, same", 36], ["1D series", 10], ["1D causal", 12], ["dilated", 25], ["strided", 16], ["3D volume", 27], ["pooling", 16], ["transposed", 16]])("%s: the kernel visits all of its %i places", async (preset, places) => {
    const { page, trouble, close } = await open(browser, "digits", { tab: "kernel" });
    await page.click(`.chip:text-is("${preset}")`);
    await page.waitForSelector(".motion-place");
    expect(await page.locator(".motion-place").innerText()).toContain(`step 1 of ${places}`);
    await page.click("[aria-label='one step on']");
    expect(await page.locator(".motion-place").innerText()).toContain(`step 2 of ${places}`);
    expect(await page.locator(".sum-line").innerText()).not.toBe("");
    await page.click(".motion .twin summary");
    expect(trouble).toEqual([]);
    await close();
  });

  test("playing moves on by itself, and pauses", async () => {
    const { page, close } = await open(browser, "digits", { tab: "kernel" });
    await page.click("button:text-is('Play')");
    await expect.poll(() => page.locator(".motion-place").innerText()).toMatch(/step [3-9] of/);
    await page.click("button:text-is('Pause')");
    const at = await page.locator(".motion-place").innerText();
    await page.waitForTimeout(700);
    expect(await page.locator(".motion-place").innerText()).toBe(at);
    await close();
  });

  test.each([["images", "grouped"], ["images", "transposed"], ["images", "depthwise"], ["series", "causal"], ["volumes", "solid"]])("%s, %s: the model's own numbers are used", async (name, layer) => {
    const { page, trouble, close } = await open(browser, name, { tab: "kernel", layer });
    await page.waitForSelector(".stage .note:has-text(\"The layer's own numbers\")");
    expect(trouble).toEqual([]);
    await close();
  });
});

describe("receptive field", () => {
  test.each(["digits", "images"])("the boxes of %s on the input are the cells whose NaN reaches the output in Hornbill", async (name) => {
    const { page, trouble, close } = await open(browser, name, { tab: "field" });
    for (const { layer, cell, box } of facts.fields[name]!) {
      await page.evaluate((hash) => { location.hash = hash; location.reload(); }, new URLSearchParams({ layer, tab: "field" }).toString());
      await page.waitForSelector(".field-panel [role=gridcell]");
      const target = page.locator(".field-own [role=gridcell]");
      await target.focus();
      await page.keyboard.press("Control+Home");
      for (let i = 0; i < cell[0]!; i++) await page.keyboard.press("ArrowDown");
      for (let i = 0; i < cell[1]!; i++) await page.keyboard.press("ArrowRight");
      const text = await page.locator(".field-own .reading").innerText();
      if (!box) {
        expect([layer, text]).toEqual([layer, expect.stringContaining("nothing")]);
        continue;
      }
      const [rows, columns] = box;
      const size = `${rows![1] - rows![0] + 1} × ${columns![1] - columns![0] + 1}`;
      expect([layer, text]).toEqual([layer, expect.stringContaining(size)]);
      if (!text.includes("all ")) expect(text).toContain(`(${span(rows!)}, ${span(columns!)})`);
    }
    expect(trouble).toEqual([]);
    await close();
  });
  const span = ([a, b]: [number, number]): string => (a === b ? String(a) : `${a}–${b}`);
});

describe("the map", () => {
  test("keyboard: walk, choose, fold and unfold", async () => {
    const { page, trouble, close } = await open(browser, "unet");
    await page.click("text=Fold all");
    const folded = await page.locator(".map-node").count();
    await page.locator(".map-hit[tabindex='0']").focus();
    await page.keyboard.press("Home");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toContain("InputLayer");
    await page.keyboard.press("ArrowRight");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-expanded"))).toBe("false");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".map-node").count()).toBeGreaterThan(folded);
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toContain("Conv2D");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    expect(await page.locator(".work-head h2").innerText()).toBe("dropout");
    expect(trouble).toEqual([]);
    await close();
  });

  test("search finds layers and Enter goes there", async () => {
    const { page, close } = await open(browser, "residual");
    await page.click("text=Unfold all");
    await page.fill("input[type=search]", "conv4_block6_2_conv");
    expect(await page.locator(".map-found").innerText()).toBe("1 found");
    await page.press("input[type=search]", "Enter");
    expect(await page.locator(".work-head h2").innerText()).toBe("conv4_block6_2_conv");
    await page.waitForSelector(".map-node.chosen");
    await close();
  });

  test("moving over a residual network of 175 layers keeps within a frame", async () => {
    const { page, trouble, close } = await open(browser, "residual");
    await page.click("text=Unfold all");
    await page.locator("[aria-label='zoom in']").click({ clickCount: 8 });
    const times = await page.evaluate(async () => {
      const holder = document.querySelector(".map-holder")!;
      const spent: number[] = [];
      for (let i = 0; i < 90; i++) {
        const start = performance.now();
        holder.dispatchEvent(new WheelEvent("wheel", { deltaX: i < 45 ? 90 : -90, bubbles: true, cancelable: true }));
        await new Promise((done) => requestAnimationFrame(done));
        await new Promise((done) => setTimeout(done));
        spent.push(performance.now() - start);
      }
      return spent.sort((a, b) => a - b);
    });
    expect(times[45]!).toBeLessThan(34); // two frames at most, on a machine that other tests share; 60 per second alone
    expect(trouble).toEqual([]);
    await close();
  });
});

describe("the page as a whole", () => {
  test.each([["digits", 3_000_000], ["unet", 10_000_000], ["residual", 10_000_000]])("%s stays below %i bytes and paints within a second", async (name, most) => {
    expect(statSync(join(folder, `${name}.html`)).size).toBeLessThan(most);
    const { page, trouble, close } = await open(browser, name);
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
    expect(paint).toBeGreaterThan(0);
    expect(paint).toBeLessThan(1000);
    expect(trouble).toEqual([]);
    await close();
  });

  test("asking the network for anything is refused by the page's own policy", async () => {
    const { page, close } = await open(browser, "digits");
    const refused = await page.evaluate(async () => {
      const tries = [fetch("https://example.org/"), fetch("data:text/plain,x"), new Promise((_, no) => { const image = new Image(); image.onerror = no; image.src = "https://example.org/a.png"; })];
      return (await Promise.allSettled(tries)).map((t) => t.status);
    });
    expect(refused).toEqual(["rejected", "rejected", "rejected"]);
    await close();
  });

  test("names from files stay text", async () => {
    const { page, trouble, close } = await open(browser, "own");
    expect(await page.locator(".map-node").allTextContents()).toEqual(expect.arrayContaining([expect.stringContaining("a<b&'\"")]));
    expect(await page.evaluate(() => (window as { stolen?: boolean }).stolen)).toBeUndefined();
    expect(trouble).toEqual([]);
    await close();
  });

  test("without examples every part says what it needs", async () => {
    const { page, trouble, close } = await open(browser, "bare", { tab: "maps" });
    expect(await page.locator(".maps-panel").innerText()).toContain("need examples");
    for (const tab of TABS) await page.click(`#tab-${tab}`);
    expect(trouble).toEqual([]);
    await close();
  });

  test("tabs follow the arrow keys, and examples too", async () => {
    const { page, close } = await open(browser, "digits");
    await page.locator("#tab-layer").focus();
    await page.keyboard.press("ArrowRight");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("tab-kernel");
    await page.keyboard.press("End");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("tab-draw");
    await page.locator(".example[aria-checked='true']").focus();
    await page.keyboard.press("ArrowRight");
    expect(await page.locator(".example[aria-checked='true']").getAttribute("aria-label")).toBe("example 2");
    await close();
  });

  test("a factor lights up the argument that set it, when focused", async () => {
    const { page, close } = await open(browser, "digits", { layer: "second_look" });
    await page.locator("button.factor", { hasText: /^64$/ }).first().focus();
    expect(await page.locator(".argument.lit").allInnerTexts()).toEqual(["64"]);
    await page.locator("button.factor.from-input", { hasText: /^32$/ }).first().click();
    expect(await page.locator(".work-head h2").innerText()).toBe("pool");
    await close();
  });

  test("what has focus can be seen", async () => {
    const { page, close } = await open(browser, "digits");
    for (let i = 0; i < 25; i++) {
      await page.keyboard.press("Tab");
      const seen = await page.evaluate(() => {
        const e = document.activeElement!;
        const style = getComputedStyle(e);
        const card = e.querySelector(".card, .frame-back");
        return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || (card !== null && parseFloat(getComputedStyle(card).strokeWidth) >= 2);
      });
      expect(seen, await page.evaluate(() => document.activeElement!.outerHTML.slice(0, 120))).toBe(true);
    }
    await close();
  });
});

describe("axe", () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const cases = (["light", "dark"] as const).flatMap((theme) => (["en", "zh"] as const).map((language) => [theme, language] as const));
  test.each(cases)("finds nothing: %s, %s", async (theme, language) => {
    const networks = [["digits", "second_look"], ["unet", "conv2d_9"]].slice(0, (theme === "dark") === (language === "zh") ? 2 : 1);
    for (const [name, layer] of networks as [string, string][]) {
      const { page, trouble, close } = await open(browser, name, { theme, language, layer });
      for (const tab of TABS) {
        await page.click(`#tab-${tab}`);
        await page.waitForTimeout(250);
        await page.evaluate(axe);
        const found = await page.evaluate(async () => {
          const result = await (window as unknown as { axe: { run: (o: object) => Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> } }).axe.run({ resultTypes: ["violations"] });
          return result.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.html.slice(0, 160)} ${n.failureSummary ?? ""}`).join(" | ")}`);
        });
        expect([name, tab, found]).toEqual([name, tab, []]);
      }
      expect(trouble).toEqual([]);
      await close();
    }
  });
});
