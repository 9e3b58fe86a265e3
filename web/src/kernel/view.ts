// Sizes and motion: sliders that work a window's rule out live, and the kernel sweeping over the padded grid.

import type { App } from "../core/app";
import { h, type Child } from "../core/dom";
import { motion } from "./motion";
import { countParameters, work, type Padding } from "./rules";
import { axisRule, madeUp, outSizes, ownScene, settingsOf, type Settings } from "./scene";

const AXES: Record<number, string[]> = { 1: ["steps"], 2: ["height", "width"], 3: ["depth", "height", "width"] };

const base: Settings = { rank: 2, kind: "conv", size: [7, 7], kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: "valid", groups: 1, channels: 1, filters: 1 };
const PRESETS: [string, Settings][] = [
  ["preset.image", base],
  ["preset.rgb", { ...base, size: [6, 6], padding: "same", channels: 3, filters: 2 }],
  ["preset.series", { ...base, rank: 1, size: [12], kernel: [3], stride: [1], dilation: [1], channels: 2 }],
  ["preset.causal", { ...base, rank: 1, size: [12], kernel: [3], stride: [1], dilation: [2], padding: "causal" }],
  ["preset.dilated", { ...base, size: [9, 9], dilation: [2, 2] }],
  ["preset.strided", { ...base, size: [8, 8], stride: [2, 2], padding: "same" }],
  ["preset.volume", { ...base, rank: 3, size: [4, 5, 5], kernel: [2, 3, 3], stride: [1, 1, 1], dilation: [1, 1, 1] }],
  ["preset.pool", { ...base, kind: "max", size: [8, 8], kernel: [2, 2], stride: [2, 2] }],
  ["preset.transposed", { ...base, kind: "transposed", size: [4, 4], kernel: [3, 3], stride: [2, 2], padding: "same" }],
];

export function kernelView(app: App): HTMLElement {
  const layer = app.layer;
  const own = settingsOf(app, layer);
  let settings: Settings = copy(own ?? base);
  let apart = own !== null && [own.size, own.kernel, own.stride, own.dilation].some((list) => new Set(list).size > 1);
  let isOwn = own !== null;
  let filter = 0;
  const sliders = h("div", { class: "sliders" });
  const result = h("div", { class: "worked", "aria-live": "polite" });
  const stage = h("div", { class: "stage" });
  let stop: () => void = () => undefined;
  let turn = 0;

  const buttons = h("div", { class: "row presets", role: "group", "aria-label": app.t("kernel.presets") },
    own ? h("button", { type: "button", class: "chip own", onclick: () => start(own, true) }, app.t("kernel.own", { layer: layer.name })) : null,
    ...PRESETS.map(([key, preset]) => h("button", { type: "button", class: "chip", onclick: () => start(preset, false) }, app.t(key))));

  function start(next: Settings, mine: boolean): void {
    settings = copy(next);
    isOwn = mine;
    filter = 0;
    apart = [next.size, next.kernel, next.stride, next.dilation].some((list) => new Set(list).size > 1);
    controls();
    update();
  }

  function change(patch: Partial<Settings>): void {
    settings = { ...settings, ...patch };
    isOwn = own !== null && JSON.stringify(settings) === JSON.stringify(own);
    update();
  }

  function slider(name: string, value: number, low: number, high: number, act: (value: number) => void): HTMLElement {
    const shown = h("output", {}, String(value));
    const input = h("input", { type: "range", min: low, max: Math.max(high, value), value, step: 1, oninput: () => {
      shown.textContent = input.value;
      act(Number(input.value));
    } });
    return h("label", { class: "slider" }, h("span", {}, name), input, shown);
  }

  function control(key: "size" | "kernel" | "stride" | "dilation", low: number, high: number): HTMLElement[] {
    const name = app.t(`kernel.${key}`);
    if (!apart || settings.rank === 1) return [slider(name, settings[key][0]!, low, high, (v) => change({ [key]: settings[key].map(() => v) }))];
    return settings[key].map((value, i) => slider(`${name}, ${app.axis(AXES[settings.rank]![i]!)}`, value, low, high, (v) => change({ [key]: settings[key].map((old, k) => (k === i ? v : old)) })));
  }

  function choice<T extends string>(name: string, value: T, options: [T, string][], act: (value: T) => void): HTMLElement {
    const select = h("select", { onchange: () => act(select.value as T) }, ...options.map(([id, text]) => h("option", { value: id, selected: id === value }, text)));
    return h("label", { class: "choice" }, h("span", {}, name), select);
  }

  function controls(): void {
    const conv = settings.kind === "conv" || settings.kind === "transposed";
    const largest = settings.rank === 3 ? 8 : 32;
    const paddings: Padding[] = settings.rank === 1 && settings.kind === "conv" ? ["valid", "same", "causal"] : ["valid", "same"];
    const rebuild = (patch: Partial<Settings>): void => {
      change(patch);
      controls();
    };
    sliders.replaceChildren(...[
      choice(app.t("kernel.kind"), settings.kind, (["conv", "depthwise", "max", "average", "transposed"] as const).map((kind) => [kind, app.t(`kind.${kind}`)]), (kind) => rebuild({ kind, groups: 1, padding: kind !== "conv" && settings.padding === "causal" ? "valid" : settings.padding, filters: kind === "conv" || kind === "transposed" ? settings.filters : settings.channels })),
      choice(app.t("kernel.rank"), String(settings.rank), ["1", "2", "3"].map((r) => [r, `${r}D`]), (r) => {
        const rank = Number(r);
        const fit = (list: number[], most: number): number[] => Array.from({ length: rank }, (_, i) => Math.min(list[i] ?? list[0]!, most));
        rebuild({ rank, size: fit(settings.size, rank === 3 ? 6 : 32), kernel: fit(settings.kernel, 7), stride: fit(settings.stride, 5), dilation: fit(settings.dilation, 4), padding: settings.padding === "causal" ? "valid" : settings.padding });
      }),
      choice(app.t("kernel.padding"), settings.padding, paddings.map((p) => [p, p]), (padding) => change({ padding })),
      ...control("size", 1, largest), ...control("kernel", 1, settings.rank === 3 ? 4 : 11), ...control("stride", 1, 6), ...control("dilation", 1, 5),
      slider(app.t("kernel.channels"), settings.channels, 1, 16, (channels) => change({ channels, groups: 1, filters: conv ? settings.filters : channels })),
      conv ? slider(app.t("kernel.filters"), settings.filters, 1, 16, (filters) => change({ filters, groups: 1 })) : null,
      settings.kind === "conv" ? choice(app.t("kernel.groups"), String(settings.groups), divisors(settings.channels, settings.filters).map((n) => [String(n), String(n)]), (n) => change({ groups: Number(n) })) : null,
      settings.rank > 1 ? h("label", { class: "check" }, h("input", { type: "checkbox", ...(apart ? { checked: true } : {}), onchange: (e) => { apart = (e.target as HTMLInputElement).checked; controls(); } }), app.t("kernel.apart")) : null,
    ].filter((x) => x !== null));
  }

  function update(): void {
    const { sizes } = outSizes(settings);
    const names = AXES[settings.rank]!;
    const same = new Set(settings.size.map((_, i) => JSON.stringify(axisRule(settings, i)))).size === 1;
    const lines = (same ? [0] : settings.size.map((_, i) => i)).map((i) => {
      const found = work(axisRule(settings, i));
      return h("div", { class: "worked-axis" }, h("span", { class: "axis-name" }, same ? names.map((n) => app.axis(n)).join(app.t("and")) : app.axis(names[i]!)),
        h("span", { class: "formula" }, ...found.tokens.map((t) => (t.from ? h(t.from === "result" ? "b" : "span", { class: "factor plain", title: app.t(`kernel.${t.from}`) }, t.text, h("small", {}, t.from === "result" ? "" : app.t(`kernel.${t.from}`))) : t.text))),
        h("ol", { class: "steps" }, ...found.steps.map((step) => h("li", {}, app.t(step.key, step.values)))));
    });
    const shape = [...sizes.map(String), String(settings.kind === "conv" || settings.kind === "transposed" ? settings.filters : settings.channels)].join(" × ");
    const learned = settings.kind === "max" || settings.kind === "average" ? 0 : countParameters(settings.kernel, settings.channels, settings.kind === "depthwise" ? 1 : settings.filters, settings.groups, settings.kind === "depthwise", true);
    result.replaceChildren(...lines, h("p", { class: "outcome" }, app.t("kernel.outcome", { input: [...settings.size, settings.channels].join(" × "), output: shape, count: learned })), h("code", { class: "code" }, spell(settings)));
    for (const chip of buttons.querySelectorAll(".own")) chip.setAttribute("aria-pressed", String(isOwn));
    void play(sizes);
  }

  async function play(sizes: number[]): Promise<void> {
    const mine = ++turn;
    stop();
    if (sizes.some((n) => n < 1)) { stage.replaceChildren(h("p", { class: "notice" }, app.t("kernel.nothing"))); return; }
    const kept = Math.min(filter, (settings.kind === "conv" || settings.kind === "transposed" ? settings.filters : settings.channels) - 1);
    const scene = (isOwn ? await ownScene(app, layer, kept) : null) ?? madeUp(settings, kept);
    if (mine !== turn) return;
    const shown = motion(app, scene, kept, (next) => {
      filter = next;
      void play(sizes);
    });
    stop = shown.stop;
    const note = scene.own ? app.t("motion.own", { example: app.state.example < 0 ? "✎" : app.state.example + 1 }) : isOwn ? app.t("motion.notcarried") : app.t("motion.made");
    stage.replaceChildren(h("p", { class: "note" }, note), shown.element);
  }

  controls();
  update();
  const children: Child[] = [own ? null : h("p", { class: "note" }, app.t("kernel.none", { layer: layer.name })), buttons, h("div", { class: "kernel-columns" }, sliders, result), stage];
  return h("div", { class: "panel kernel-panel" }, ...children);
}

const copy = (s: Settings): Settings => ({ ...s, size: s.size.slice(), kernel: s.kernel.slice(), stride: s.stride.slice(), dilation: s.dilation.slice() });

function divisors(a: number, b: number): number[] {
  return Array.from({ length: Math.min(a, b) }, (_, i) => i + 1).filter((n) => a % n === 0 && b % n === 0);
}

/** The Keras code of the settings. */
export function spell(settings: Settings): string {
  const many = (list: number[]): string => (new Set(list).size === 1 ? String(list[0]!) : `(${list.join(", ")})`);
  const pooling = settings.kind === "max" || settings.kind === "average";
  const name = { conv: "Conv", depthwise: "DepthwiseConv", max: "MaxPooling", average: "AveragePooling", transposed: "Conv" }[settings.kind] + `${settings.rank}D` + (settings.kind === "transposed" ? "Transpose" : "");
  const given = settings.kind === "conv" || settings.kind === "transposed" ? [String(settings.filters), many(settings.kernel)] : [many(settings.kernel)];
  if (pooling ? many(settings.stride) !== many(settings.kernel) : settings.stride.some((n) => n !== 1)) given.push(`strides=${many(settings.stride)}`);
  if (settings.padding !== "valid") given.push(`padding='${settings.padding}'`);
  if (!pooling && settings.dilation.some((n) => n !== 1)) given.push(`dilation_rate=${many(settings.dilation)}`);
  if (settings.groups !== 1) given.push(`groups=${settings.groups}`);
  return `layers.${name}(${given.join(", ")})`;
}
