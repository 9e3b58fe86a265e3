// The kernel in motion: over the padded grid, one output cell after the other (or, transposed, one input cell).

import { short, type App } from "../core/app";
import { topOf } from "../core/colour";
import { size, stridesOf } from "../core/data";
import { h, say } from "../core/dom";
import { grid, twin, type Grid, type Mark } from "../core/grid";
import { product } from "../receptive/boxes";
import { reachOf, taps } from "./rules";
import { placeOf, steps, sumOf, type Scene } from "./scene";

const MOST_PANES = 4;
const MOST_SLICES = 8;

interface Pane { title: string; rows: number; columns: number; at: (row: number, column: number) => { channel: number; place: number[] } }

/** How numbers of some rank lie on paper: 1D with channels below each other, 2D one pane per channel, 3D one per slice. */
function panes(app: App, rank: number, channels: number[], sizes: number[], offset: number[], channelWord: string): Pane[] {
  const off = (place: number[]): number[] => place.map((p, i) => p - offset[i]!);
  if (rank === 1) {
    const shown = channels.slice(0, 8);
    return [{ title: shown.length > 1 ? app.t("motion.channels", { count: shown.length }) : "", rows: shown.length, columns: sizes[0]!, at: (r, c) => ({ channel: shown[r]!, place: off([c]) }) }];
  }
  if (rank === 2) return channels.slice(0, MOST_PANES).map((channel) => ({ title: channelWord ? `${channelWord} ${channel}` : "", rows: sizes[0]!, columns: sizes[1]!, at: (r, c) => ({ channel, place: off([r, c]) }) }));
  return Array.from({ length: Math.min(sizes[0]!, MOST_SLICES) }, (_, d) => ({ title: `${app.axis("depth")} ${d - offset[0]!}`, rows: sizes[1]!, columns: sizes[2]!, at: (r, c) => ({ channel: channels[0]!, place: off([d, r, c]) }) }));
}

export function motion(app: App, scene: Scene, filter: number, choose: (filter: number) => void): { element: HTMLElement; stop: () => void } {
  const { settings, axes } = scene;
  const { rank } = settings;
  const spread = settings.kind === "transposed";
  const weighs = settings.kind !== "max" && settings.kind !== "average";
  const padded = settings.size.map((n, i) => (spread ? n : n + Math.max(scene.pads[i]![0], 0) + Math.max(scene.pads[i]![1], 0)));
  const outFull = scene.outSizes.map((n, i) => (spread ? n + Math.max(scene.pads[i]![0], 0) + Math.max(scene.pads[i]![1], 0) : n));
  const outOffset = scene.pads.map(([before]) => (spread ? Math.max(before, 0) : 0));
  const inOffset = scene.pads.map(([before]) => (spread ? 0 : Math.max(before, 0)));
  const total = steps(scene);
  let at = 0;
  let timer = 0;

  const inputPanes = panes(app, rank, scene.reads, padded, inOffset, scene.reads.length > 1 || settings.channels > 1 ? app.axis("channel") : "");
  const kernelPanes = panes(app, rank, scene.reads, settings.kernel, settings.kernel.map(() => 0), "");
  const outPanes = panes(app, rank, [filter], outFull, outOffset, "");
  const inside = (place: number[]): boolean => place.every((p, i) => p >= 0 && p < settings.size[i]!);
  const insideOut = (place: number[]): boolean => place.every((p, i) => p >= 0 && p < scene.outSizes[i]!);
  const outSteps = stridesOf(scene.outSizes);
  const inSteps = stridesOf(settings.size);
  const flat = (place: number[], step: number[]): number => place.reduce((sum, p, i) => sum + p * step[i]!, 0);

  const inputTop = topOf(sample(inputPanes, (channel, place) => (inside(place) ? scene.input(channel, place) : 0)));
  const kernelTop = weighs ? topOf(sample(kernelPanes, scene.weight)) : 1;
  const cells = size(scene.outSizes);
  const outputs = new Float64Array(cells);
  for (let i = 0; i < cells; i++) outputs[i] = scene.output(placeOf(i, scene.outSizes));
  const outTop = topOf(outputs);

  const side = (columns: number, rows: number, count: number, room: number): number => Math.max(3, Math.min(34, Math.floor((room / count - 30) / columns), Math.floor(340 / rows)));
  const many = rank === 3 ? Math.min(inputPanes.length, 4) : inputPanes.length;
  const inputSide = side(padded[rank - 1]!, inputPanes[0]!.rows, rank === 1 ? 1 : many, rank === 1 ? 820 : 700);
  const make = (pane: Pane, what: string, options: { top: number; side: number; value: (channel: number, place: number[]) => number | null; hatched?: (place: number[]) => boolean; pick?: (place: number[]) => void; first: number[] }): Grid =>
    grid({
      rows: pane.rows, columns: pane.columns, cell: options.side, top: options.top, label: `${what} ${pane.title}`.trim(), firstRow: rank === 1 ? 0 : -options.first[rank - 2]!, firstColumn: -options.first[rank - 1]!,
      rowName: rank === 1 ? app.axis("channel") : app.t("row"), columnName: rank === 1 ? app.axis("steps") : app.t("column"),
      value: (r, c) => {
        const cell = pane.at(r, c);
        return options.value(cell.channel, cell.place);
      },
      look: (r, c) => (options.hatched?.(pane.at(r, c).place) ? { hatched: true, text: spread ? "" : "0" } : null),
      describe: (r, c) => {
        const cell = pane.at(r, c);
        if (options.hatched?.(cell.place)) return app.t(spread ? "motion.cut" : "motion.padding");
        const value = options.value(cell.channel, cell.place);
        return value === null ? app.t("motion.later") : short(value, 4);
      },
      ...(options.pick ? { onPick: (r: number, c: number) => options.pick!(pane.at(r, c).place) } : {}),
    });

  const inputs = inputPanes.map((pane) => make(pane, app.t("motion.input"), { top: inputTop, side: inputSide, first: inOffset, value: (channel, place) => (inside(place) ? scene.input(channel, place) : 0), hatched: (place) => !inside(place), ...(spread ? { pick: (place: number[]) => inside(place) && go(flat(place, inSteps)) } : {}) }));
  const kernelGrids = weighs ? kernelPanes.map((pane) => make(pane, app.t("motion.kernel"), { top: kernelTop, side: Math.max(18, Math.min(36, Math.floor(140 / Math.max(...settings.kernel)))), first: settings.kernel.map(() => 0), value: scene.weight })) : [];
  const outSide = side(outFull[rank - 1]!, outPanes[0]!.rows, rank === 3 ? Math.min(outPanes.length, 4) : 1, rank === 1 ? 820 : rank === 3 ? 700 : 330);
  const outs = outPanes.map((pane) => make(pane, app.t("motion.output"), { top: outTop, side: outSide, first: outOffset, value: (_, place) => shownOutput(place), hatched: (place) => !insideOut(place), ...(spread ? {} : { pick: (place: number[]) => go(flat(place, outSteps)) }) }));

  /** What an output cell holds by now; null before its turn. Spread cells grow with each input cell. */
  function shownOutput(place: number[]): number | null {
    if (!insideOut(place)) return null;
    if (!spread) return flat(place, outSteps) <= at ? outputs[flat(place, outSteps)]! : null;
    if (at === total - 1) return outputs[flat(place, outSteps)]!;
    const options = axes.map((axis, i) => taps(axis, place[i]!));
    let sum = scene.bias;
    let touched = false;
    product(options.map((list) => list.map((_, k) => k)), (choice) => {
      const tap = choice.map((k, i) => options[i]![k]!);
      if (flat(tap.map((t) => t.input), inSteps) > at) return;
      touched = true;
      for (const channel of scene.reads) sum += scene.input(channel, tap.map((t) => t.input)) * scene.weight(channel, tap.map((t) => t.kernel));
    });
    return touched ? sum : null;
  }

  const sums = h("div", { class: "sum-line" });
  const place = h("span", { class: "motion-place" });
  const slider = h("input", { type: "range", min: 0, max: total - 1, value: 0, step: 1, "aria-label": app.t("motion.position"), oninput: () => go(Number(slider.value)) });
  const playButton = h("button", { type: "button", class: "primary", onclick: () => (timer ? pause() : play()) }, app.t("motion.play"));

  function go(step: number): void {
    at = Math.min(Math.max(step, 0), total - 1);
    slider.value = String(at);
    const current = placeOf(at, spread ? settings.size : scene.outSizes);
    const reach = axes.map((axis) => reachOf(axis.kernel, axis.dilation));
    const start = current.map((p, i) => (spread ? p * axes[i]!.stride - axes[i]!.before + outOffset[i]! : p * axes[i]!.stride - axes[i]!.before + inOffset[i]!));
    const window = (grids: Grid[], list: Pane[]): void => grids.forEach((g, p) => g.mark(marks(list[p]!, p, start, reach)));
    const single = (grids: Grid[], list: Pane[], offset: number[]): void => grids.forEach((g, p) => g.mark(one(list[p]!, p, current.map((c, i) => c + offset[i]!))));
    if (spread) {
      single(inputs, inputPanes, inOffset);
      window(outs, outPanes);
    } else {
      window(inputs, inputPanes);
      single(outs, outPanes, outOffset);
    }
    for (const g of outs) g.redraw();
    place.textContent = app.t(spread ? "motion.atinput" : "motion.at", { place: current.join(", "), step: at + 1, total });
    arithmetic(current);
  }

  function marks(pane: Pane, index: number, start: number[], reach: number[]): Mark[] {
    const found: Mark[] = [];
    if (rank === 3) {
      const depthTap = (index - start[0]!) / axes[0]!.dilation;
      if (!Number.isInteger(depthTap) || depthTap < 0 || depthTap >= axes[0]!.kernel) return [];
    }
    const [row, column, rowReach, columnReach] = rank === 1 ? [0, start[0]!, pane.rows, reach[0]!] : [start[rank - 2]!, start[rank - 1]!, reach[rank - 2]!, reach[rank - 1]!];
    found.push({ row, column, rows: rowReach, columns: columnReach, kind: "window" });
    if (axes.every((axis) => axis.dilation === 1)) return found;
    const [kr, kc] = rank === 1 ? [pane.rows, axes[0]!.kernel] : [axes[rank - 2]!.kernel, axes[rank - 1]!.kernel];
    const [dr, dc] = rank === 1 ? [1, axes[0]!.dilation] : [axes[rank - 2]!.dilation, axes[rank - 1]!.dilation];
    for (let r = 0; r < kr; r++) for (let c = 0; c < kc; c++) found.push({ row: row + r * dr, column: column + c * dc, rows: 1, columns: 1, kind: "tap" });
    return found;
  }

  function one(pane: Pane, index: number, current: number[]): Mark[] {
    if (rank === 3 && current[0] !== index) return [];
    const [row, column, rows] = rank === 1 ? [0, current[0]!, pane.rows] : [current[rank - 2]!, current[rank - 1]!, 1];
    return [{ row, column, rows, columns: 1, kind: "pick" }];
  }

  function arithmetic(current: number[]): void {
    if (spread) {
      const list = scene.reads.slice(0, 3).map((channel) => short(scene.input(channel, current)));
      sums.replaceChildren(app.t("motion.spread", { value: list.join(", ") + (scene.reads.length > 3 ? ", …" : "") }));
      return;
    }
    const options = axes.map((axis, i) => taps(axis, current[i]!));
    const terms: { text: string; value: number; channel: number }[] = [];
    product(options.map((list) => list.map((_, k) => k)), (choice) => {
      const tap = choice.map((k, i) => options[i]![k]!);
      const where = tap.map((t) => t.input);
      const real = inside(where);
      if (!weighs && !real) return;
      for (const channel of scene.reads) {
        const x = real ? scene.input(channel, where) : 0;
        const w = weighs ? scene.weight(channel, tap.map((t) => t.kernel)) : 1;
        terms.push({ channel, value: x * w, text: weighs ? `${short(x)}${real ? "" : "ₚ"}·${w < 0 ? `(${short(w)})` : short(w)}` : short(x) });
      }
    });
    const sum = sumOf(scene, current);
    const value = scene.output(current);
    let shown: string;
    if (terms.length <= 12) shown = terms.map((t) => t.text).join(weighs || settings.kind === "average" ? " + " : ", ");
    else shown = scene.reads.slice(0, 6).map((channel) => app.t("motion.partial", { channel, value: short(terms.filter((t) => t.channel === channel).reduce((a, t) => a + t.value, 0)) })).join(" + ") + (scene.reads.length > 6 ? " + …" : "");
    if (settings.kind === "max") shown = `max(${terms.length <= 12 ? shown : "…"})`;
    if (settings.kind === "average") shown = `(${terms.length <= 12 ? shown : "…"}) / ${terms.length}`;
    const bias = weighs && scene.own ? ` + ${short(scene.bias)} ${app.t("bias")}` : "";
    const after = scene.own && scene.activation !== "linear" ? `  →  ${scene.activation} → ${short(value)}` : "";
    sums.replaceChildren(h("span", { class: "formula" }, `${shown}${bias} = `, h("b", {}, short(sum, 4)), after), terms.some((t) => t.text.includes("ₚ")) && terms.length <= 12 ? h("small", { class: "muted" }, `  ${app.t("motion.p")}`) : "");
  }

  function play(): void {
    if (at >= total - 1) at = -1;
    const pace = (): number => Math.max(30, 620 - Number(speed.value) * 60);
    const tick = (): void => {
      const jump = total > 400 ? Math.ceil(total / 400) : 1;
      go(at + jump);
      if (at >= total - 1) { pause(); return; }
      timer = window.setTimeout(tick, pace());
    };
    timer = window.setTimeout(tick, 0);
    playButton.textContent = app.t("motion.pause");
  }
  function pause(): void {
    clearTimeout(timer);
    timer = 0;
    playButton.textContent = app.t("motion.play");
  }
  const speed = h("input", { type: "range", min: 1, max: 10, value: 5, step: 1 });
  const step = (by: number): void => {
    pause();
    go(at + by);
    say(`${place.textContent}. ${sums.textContent}`);
  };
  const filters = weighs ? settings.filters : settings.channels;
  const select = h("select", { onchange: () => choose(Number(select.value)) }, ...Array.from({ length: Math.min(filters, 512) }, (_, i) => h("option", { value: i, selected: i === filter }, String(i))));
  const head = h("div", { class: "row motion-controls" },
    h("button", { type: "button", onclick: () => step(-1), "aria-label": app.t("motion.back") }, "◂"), playButton,
    h("button", { type: "button", onclick: () => step(1), "aria-label": app.t("motion.next") }, "▸"), slider,
    h("label", { class: "slider small" }, h("span", {}, app.t("motion.speed")), speed),
    filters > 1 ? h("label", { class: "choice" }, h("span", {}, app.t(weighs ? "motion.filter" : "motion.channel")), select) : null);
  const group = (title: string, grids: Grid[], list: Pane[]): HTMLElement => h("div", { class: "pane-group" }, h("h3", { class: "title" }, title), h("div", { class: rank === 3 ? "panes slices" : "panes" }, ...grids.map((g, i) => h("figure", {}, g.element, list[i]!.title ? h("figcaption", {}, list[i]!.title) : null))));
  const more = rank === 2 && scene.reads.length > MOST_PANES ? h("p", { class: "note" }, app.t("motion.more", { count: scene.reads.length - MOST_PANES })) : null;
  const spans = scene.reads.length > 1 ? h("p", { class: "note" }, app.t("motion.all", { count: scene.reads.length })) : null;
  const table = twin(app.t("motion.table"), "", () => ({
    head: [app.t("motion.place"), app.t("value")],
    rows: Array.from({ length: Math.min(cells, 2000) }, (_, i) => [placeOf(i, scene.outSizes).join(", "), short(outputs[i]!, 5)]),
  }));
  go(0);
  return {
    element: h("div", { class: "motion" }, head, h("div", { class: rank === 2 ? "panes-line" : "panes-line stacked" },
      h("div", { class: "pane-stack" }, group(app.t("motion.input"), inputs, inputPanes), weighs ? group(app.t("motion.kernel"), kernelGrids, kernelPanes) : null),
      h("span", { class: "pane-arrow", "aria-hidden": "true" }, "→"), group(app.t("motion.output"), outs, outPanes)),
    h("div", { class: "motion-foot" }, place, sums), spans, more, table),
    stop: pause,
  };
}

function sample(list: Pane[], value: (channel: number, place: number[]) => number): Float64Array {
  return Float64Array.from(list.flatMap((pane) => Array.from({ length: pane.rows * pane.columns }, (_, i) => {
    const cell = pane.at(Math.floor(i / pane.columns), i % pane.columns);
    return value(cell.channel, cell.place);
  })));
}
