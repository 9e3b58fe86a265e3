// The cell view: pick an output cell, and see the patch, the kernel, every product, the sum and what follows.

import { DRAWN, short, type App } from "../core/app";
import { colourOf, css, inkOn, topOf } from "../core/colour";
import { stridesOf, type Dense } from "../core/data";
import { fillLater, h, say, type Child } from "../core/dom";
import { grid, twin } from "../core/grid";
import { softmax } from "../infer/activations";
import { channelsFirst } from "../receptive/boxes";
import { compute, type Cell, type Reader, type Sources, type Term } from "./compute";

interface Reach { sources: Sources; origin: number[]; size: number[]; channels: number[] | null }

const reader = (dense: Dense, origin?: number[], channels?: { axis: number; which: number[] }): Reader => {
  const steps = stridesOf(dense.shape);
  return (place) => {
    let at = 0;
    for (let i = 0; i < place.length; i++) {
      let p = place[i]! - (origin?.[i] ?? 0);
      if (channels && i === channels.axis) p = channels.which.indexOf(place[i]!);
      if (p < 0 || p >= dense.shape[i]!) return undefined;
      at += p * steps[i]!;
    }
    return dense.data[at];
  };
};

/** What the page can read of a layer: all of it, or the piece that is carried. */
export async function reachOf(app: App, index: number): Promise<Reach | null> {
  const layer = app.layers[index]!;
  const shapes = layer.parents.map((p) => app.shape(p));
  const output = app.shape(index);
  const [inputs, own, weights] = await Promise.all([Promise.all(layer.parents.map((p) => app.values(p))), app.values(index), app.data.weights(index)]);
  if (own && weights && inputs.every((x) => x !== null)) {
    return {
      origin: output.map(() => 0), size: output, channels: null,
      sources: { inputs: inputs.map((x) => reader(x)), weight: (name, place) => (weights[name] ? reader(weights[name])(place) : undefined), shapes, output, own: reader(own) },
    };
  }
  const part = app.data.payload.carried[index]?.part;
  if (!part || app.state.example === DRAWN) return null;
  const axis = channelsFirst(layer) ? 0 : output.length - 1;
  const piece = await app.data.array(part.output);
  const pieces = await Promise.all(part.inputs.map((input) => app.data.array(input.array)));
  const named = await Promise.all(Object.entries(part.weights).map(async ([name, w]) => [name, await app.data.array(w.array), w.channels] as const));
  return {
    origin: part.origin, size: piece.shape, channels: part.channels,
    sources: {
      inputs: pieces.map((x, i) => reader(x, part.inputs[i]!.origin)), shapes, output, own: reader(piece, part.origin, { axis, which: part.channels }),
      weight: (name, place) => {
        const found = named.find(([n]) => n === name);
        if (!found) return undefined;
        const [, dense, channels] = found;
        if (!channels) return reader(dense)(place);
        const cut = layer.window?.kind === "transposed" ? place.length - 2 : place.length - 1;
        return reader(dense, undefined, { axis: cut, which: channels })(place);
      },
    },
  };
}

export function cellView(app: App): HTMLElement {
  const root = h("div", { class: "panel cell-panel" });
  if (!app.hasNumbers) {
    root.append(h("p", { class: "empty" }, app.t("cell.noexamples")));
    return root;
  }
  if (!app.layer.parents.length) {
    root.append(h("p", { class: "empty" }, app.t("cell.entry")));
    return root;
  }
  fillLater(root, show(app, root), (error) => app.t("failed", { error }));
  return root;
}

async function show(app: App, root: HTMLElement): Promise<void> {
  const index = app.state.layer;
  const reach = await reachOf(app, index);
  if (!reach) { root.append(h("p", { class: "empty" }, app.t("cell.notcarried"))); return; }
  const { sources, origin, size, channels } = reach;
  const rank = sources.output.length;
  const axis = channelsFirst(app.layer) ? 0 : rank - 1;
  const spatial = sources.output.map((_, i) => i).filter((i) => rank === 1 || i !== axis);
  let cell = app.state.cell?.length === rank ? app.state.cell.slice() : start(app, reach, axis);
  if (spatial.some((i) => cell[i]! < origin[i]! || cell[i]! >= origin[i]! + size[i]!) || (channels && !channels.includes(cell[axis]!))) cell = start(app, reach, axis);

  const result = h("div", { class: "cell-result" });
  const where = h("div", { class: "cell-where" });

  function pick(next: number[], aloud: boolean): void {
    cell = next;
    app.state.cell = next;
    const found = compute(app.layer, cell, sources);
    result.replaceChildren(...explain(app, cell, found, sources));
    if (aloud) say(result.querySelector(".equation")?.textContent ?? "");
  }

  function plane(): void {
    const columnAxis = spatial[spatial.length - 1]!;
    const rowAxis = spatial.length > 1 ? spatial[spatial.length - 2]! : null;
    const rows = rowAxis === null ? 1 : size[rowAxis]!;
    const columns = size[columnAxis]!;
    const folded = rank === 1 && columns > 40 ? Math.min(24, columns) : columns;
    const [r, c] = rank === 1 ? [Math.ceil(columns / folded), folded] : [rows, columns];
    const at = (row: number, column: number): number[] => {
      const next = cell.slice();
      if (rank === 1) next[0] = Math.min(row * folded + column, columns - 1);
      else {
        next[columnAxis] = origin[columnAxis]! + column;
        if (rowAxis !== null) next[rowAxis] = origin[rowAxis]! + row;
      }
      return next;
    };
    const value = (row: number, column: number): number | null => (rank === 1 && row * folded + column >= columns ? null : (sources.own(at(row, column)) ?? null));
    const seen: number[] = [];
    for (let i = 0; i < r; i++) for (let k = 0; k < c; k++) seen.push(value(i, k) ?? 0);
    const side = Math.max(4, Math.min(30, Math.floor(330 / c), Math.floor(300 / r)));
    const g = grid({
      rows: r, columns: c, cell: side, top: topOf(seen), label: app.t("cell.grid"), rowName: app.t("row"), columnName: app.t("column"), firstRow: rowAxis === null ? 0 : origin[rowAxis]!, firstColumn: rank === 1 ? 0 : origin[columnAxis]!, headers: rank > 1, value,
      onPick: (row, column) => move(row, column), onMove: (row, column) => { if (document.activeElement?.closest(".grid") === g.element) move(row, column, false); },
    });
    function move(row: number, column: number, aloud = true): void {
      g.mark([{ row, column, rows: 1, columns: 1, kind: "pick" }]);
      pick(at(row, column), aloud);
    }
    const list = channels ?? Array.from({ length: sources.output[axis]! }, (_, i) => i);
    const select = h("select", { onchange: () => {
      cell[axis] = Number(select.value);
      app.state.channel = cell[axis];
      plane();
    } }, ...list.slice(0, 2048).map((i) => h("option", { value: i, selected: i === cell[axis] }, String(i))));
    const depth = spatial.length > 2 ? h("select", { onchange: () => {
      cell[spatial[0]!] = Number(depth!.value);
      plane();
    } }, ...Array.from({ length: size[spatial[0]!]! }, (_, i) => h("option", { value: i + origin[spatial[0]!]!, selected: i + origin[spatial[0]!]! === cell[spatial[0]!] }, String(i + origin[spatial[0]!]!)))) : null;
    where.replaceChildren(h("h3", { class: "title" }, app.t("cell.choose")),
      h("div", { class: "row" }, rank > 1 ? h("label", { class: "choice" }, h("span", {}, app.axis("channel")), select) : null, depth ? h("label", { class: "choice" }, h("span", {}, app.axis("depth")), depth) : null), g.element,
      h("p", { class: "note" }, app.t("cell.hint"), channels ? ` ${app.t("cell.part")}` : ""));
    const [row, column] = rank === 1 ? [Math.floor(cell[0]! / folded), cell[0]! % folded] : [rowAxis === null ? 0 : cell[rowAxis]! - origin[rowAxis]!, cell[columnAxis]! - origin[columnAxis]!];
    g.move(row, column);
    g.mark([{ row, column, rows: 1, columns: 1, kind: "pick" }]);
    pick(cell, false);
  }
  plane();
  root.append(h("div", { class: "cell-columns" }, where, result));
}

/** A cell in the middle, of the channel chosen before, so that something is there at once. */
function start(app: App, reach: Reach, axis: number): number[] {
  const { origin, size, channels, sources } = reach;
  const cell = origin.map((o, i) => o + Math.floor((size[i]! - 1) / 2));
  if (sources.output.length > 1) {
    const wanted = app.state.channel;
    cell[axis] = channels ? (channels.includes(wanted) ? wanted : channels[0]!) : Math.min(wanted, sources.output[axis]! - 1);
  } else {
    let best = 0;
    for (let i = 0; i < sources.output[0]!; i++) if ((sources.own([i]) ?? -Infinity) > (sources.own([best]) ?? -Infinity)) best = i;
    cell[0] = best;
  }
  return cell;
}

/** Whether two numbers are the same for float32 sums: to 1e-5 of the larger one, or of 1. */
export const agrees = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(a), Math.abs(b));

function explain(app: App, cell: number[], found: Cell | "missing" | null, sources: Sources): Child[] & Node[] {
  const stored = sources.own(cell);
  const title = h("h3", { class: "title" }, app.t("cell.title", { place: cell.join(", ") }));
  if (found === "missing") return [title, h("p", { class: "empty" }, app.t("cell.missing"))];
  if (!found) return [title, h("p", { class: "empty" }, app.t("cell.unknown", { class: app.layer.class })), h("p", {}, `${app.t("cell.stored")}: ${short(stored ?? NaN, 7)}`)];
  const parts: Node[] = [title];
  const line = h("p", { class: "equation formula" });
  if (found.kind === "sum") {
    const products = found.terms.reduce((sum, t) => sum + t.product, 0);
    line.append(term(app.t("cell.products", { count: found.terms.length }), products), found.bias === null ? "" : " + ", found.bias === null ? "" : term(app.t("bias"), found.bias), " = ", term(app.t("cell.sum"), found.sum, true));
  } else if (found.kind === "max" || found.kind === "average") {
    const list = found.terms.filter((t) => !t.padding).map((t) => short(t.x, 4));
    const inside = list.length > 12 ? `${list.slice(0, 12).join(", ")}, …` : list.join(found.kind === "max" ? ", " : " + ");
    line.append(found.kind === "max" ? `max(${inside}) = ` : `(${inside}) / ${list.length} = `, term(app.t(`kind.${found.kind}`), found.sum, true));
  } else if (found.kind === "normalize") {
    const v = found.steps[0]!.values;
    const batch = app.layer.class === "BatchNormalization";
    line.append("(", term(app.t("cell.input"), Number(v["x"])), " − ", term(app.t(batch ? "cell.mean" : "mean"), Number(v["mean"])), ") / √(", term(app.t(batch ? "cell.variance" : "variance"), Number(v["variance"])), " + ", term("ε", Number(v["epsilon"])), ") × ", term("γ", Number(v["gamma"])), " + ", term("β", Number(v["beta"])), " = ", term(app.t("value"), found.sum, true));
  } else if (found.kind === "join") {
    const sign = { Multiply: " × ", Subtract: " − " }[app.layer.class] ?? " + ";
    found.terms.forEach((t, i) => line.append(i ? sign : app.layer.class === "Average" ? "(" : "", term(app.layers[app.layer.parents[i]!]!.name, t.x)));
    line.append(app.layer.class === "Average" ? `) / ${found.terms.length} = ` : " = ", term(app.t("value"), found.sum, true));
  } else if (found.kind === "copy") {
    const t = found.terms[0]!;
    line.append(term(t.padding ? app.t("motion.padding") : app.t("cell.from", { place: t.input.join(", ") }), t.x, true));
  }
  if (line.childNodes.length) parts.push(line);
  if (found.rows) parts.push(softmaxLine(app, found, cell));
  else if (found.activation !== "linear") parts.push(h("p", { class: "equation formula" }, `${found.activation}(${short(found.sum, 5)}) = `, h("b", {}, short(found.value, 6))));
  if (stored !== undefined) {
    const same = agrees(found.value, stored);
    parts.push(h("p", { class: `verdict ${same ? "good" : "bad"}`, "data-sum": found.value, "data-stored": stored }, same ? "✓ " : "✕ ", app.t(same ? "cell.same" : "cell.differs", { stored: short(stored, 7), difference: Math.abs(found.value - stored).toExponential(1) })));
  }
  if (found.kind === "sum" || found.kind === "max" || found.kind === "average") parts.push(...patches(app, found));
  parts.push(twin(app.t("cell.table", { count: found.terms.length }), "", () => ({
    head: [app.t("cell.inputplace"), app.t("cell.input"), app.t("cell.weight"), app.t("cell.product")],
    rows: found.terms.slice(0, 8000).map((t) => [t.input.join(", ") + (t.padding ? ` (${app.t("motion.padding")})` : ""), short(t.x, 6), t.w === null ? "–" : short(t.w, 6), short(t.product, 6)]),
  })));
  return parts;
}

const term = (name: string, value: number, strong = false): HTMLElement => h("span", { class: "named" }, h(strong ? "b" : "span", {}, short(value, 5)), h("small", {}, name));

function softmaxLine(app: App, found: Cell, cell: number[]): HTMLElement {
  const rows = found.rows!;
  const shares = softmax(rows);
  const place = cell[cell.length - 1]!;
  const list = rows.map((_, i) => i).sort((a, b) => rows[b]! - rows[a]!).slice(0, 6);
  return h("div", {}, h("p", { class: "equation formula" }, `e^${short(rows[place]!, 4)} / Σ e^… = `, h("b", {}, short(found.value, 6))),
    h("p", { class: "note" }, app.t("cell.softmax", { count: rows.length })),
    h("ul", { class: "softmax" }, ...list.map((i) => h("li", i === place ? { class: "most" } : {}, `${i}: e^${short(rows[i]!, 4)} → ${short(shares[i]!, 4)}${i === place ? " ◂" : ""}`))));
}

/** The patch, the kernel and the products, one row per input channel; the channels that matter most first. */
function patches(app: App, found: Cell): HTMLElement[] {
  const shape = found.patch?.kernel ?? [];
  if (!found.patch || shape.length === 0 || shape.length > 3) return [strongest(app, found.terms)];
  const per = new Map<number, Term[]>();
  const first = channelsFirst(app.layer);
  for (const t of found.terms) {
    const channel = first ? t.input[0]! : t.input[t.input.length - 1]!;
    (per.get(channel) ?? per.set(channel, []).get(channel)!).push(t);
  }
  const strength = (list: Term[]): number => Math.abs(list.reduce((sum, t) => sum + t.product, 0));
  const ordered = [...per].sort((a, b) => strength(b[1]) - strength(a[1]));
  const topX = topOf(found.terms.map((t) => t.x));
  const topW = topOf(found.terms.map((t) => t.w ?? 0));
  const topP = topOf(found.terms.map((t) => t.product));
  const weighs = found.kind === "sum";
  const rows = (count: number): HTMLElement[] => ordered.slice(0, count).map(([channel, list]) => h("div", { class: "patch-row" },
    h("span", { class: "patch-channel" }, app.axis("channel"), " ", String(channel)), matrix(app, shape, list, (t) => t.x, topX), weighs ? h("span", { "aria-hidden": "true" }, "×") : null,
    weighs ? matrix(app, shape, list, (t) => t.w ?? 0, topW) : null, weighs ? h("span", { "aria-hidden": "true" }, "=") : null, weighs ? matrix(app, shape, list, (t) => t.product, topP) : null,
    weighs ? h("span", { class: "patch-sum" }, "Σ ", h("b", {}, short(list.reduce((sum, t) => sum + t.product, 0), 4))) : null));
  const box = h("div", { class: "patches", tabindex: 0, role: "region", "aria-label": app.t(weighs ? "cell.patchhead" : "cell.window") }, ...rows(6));
  const head = h("div", { class: "patch-head muted" }, weighs ? app.t("cell.patchhead") : app.t("cell.window"));
  const found_: HTMLElement[] = [head, box];
  if (ordered.length > 6) {
    const rest = ordered.slice(6).flatMap(([, list]) => list).reduce((sum, t) => sum + t.product, 0);
    const button = h("button", { type: "button", class: "chip", onclick: () => {
      box.replaceChildren(...rows(64));
      button.remove();
    } }, app.t("cell.others", { count: ordered.length - 6, sum: short(rest, 4) }));
    found_.push(button);
  }
  return found_;
}

function matrix(app: App, shape: number[], list: Term[], value: (t: Term) => number, top: number): HTMLElement {
  const columns = shape[shape.length - 1]!;
  const table = h("div", { class: "matrix", style: { "grid-template-columns": `repeat(${columns}, auto)` }, "aria-hidden": "true" });
  const sorted = list.slice().sort((a, b) => order(a.kernel, shape) - order(b.kernel, shape));
  for (const t of sorted.slice(0, 343)) {
    const v = value(t);
    const colour = colourOf(v, top);
    table.append(h("span", { class: `${t.padding ? "pad" : ""}${t.chosen ? " chosen" : ""}`, style: t.padding ? {} : { background: css(colour), color: inkOn(colour) }, title: t.padding ? app.t("motion.padding") : short(v, 6) }, short(v, 3)));
  }
  return table;
}

const order = (at: number[], shape: number[]): number => at.reduce((sum, k, i) => sum * shape[i]! + k, 0);

function strongest(app: App, terms: Term[]): HTMLElement {
  const sorted = terms.slice().sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  const shown = sorted.slice(0, 14);
  const top = Math.abs(shown[0]?.product ?? 1) || 1;
  const rest = sorted.slice(14).reduce((sum, t) => sum + t.product, 0);
  return h("div", {}, h("p", { class: "note" }, app.t("cell.strongest", { count: shown.length, all: terms.length })), h("ol", { class: "terms" }, ...shown.map((t) => h("li", {},
    h("span", { class: "term-place" }, t.input.join(", ")), h("span", { class: "formula" }, t.w === null ? short(t.x, 4) : `${short(t.x, 4)} × ${t.w < 0 ? `(${short(t.w, 4)})` : short(t.w, 4)} = ${short(t.product, 4)}`),
    h("span", { class: "bar-room" }, h("span", { class: `bar${t.product < 0 ? " minus" : ""}`, style: { width: `${(Math.abs(t.product) / top) * 100}%` } }))))), sorted.length > 14 ? h("p", { class: "note" }, app.t("cell.rest", { count: sorted.length - 14, sum: short(rest, 5) })) : null);
}
