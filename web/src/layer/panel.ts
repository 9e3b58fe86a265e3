// One layer explained: its sentences, its arithmetic with each factor tied to the argument that set it, its code.

import type { App } from "../core/app";
import { h, type Child } from "../core/dom";
import { twin } from "../core/grid";
import type { Layer, Sentence, Tensor, Weight } from "../core/types";
import { work, type Token } from "../kernel/rules";
import { argumentOfAxis, pieces } from "./code";
import { kernels } from "./kernels";

export function layerPanel(app: App): HTMLElement {
  const layer = app.layer;
  const linker = new Linker(app, layer);
  const root = h("div", { class: "panel layer-panel" });
  root.append(
    h("div", { class: "flow" }, ...tensors(app, layer.inputs), h("span", { class: "arrow", "aria-hidden": "true" }, "→"), ...tensors(app, layer.outputs)),
    h("div", { class: "columns" },
      h("div", {}, section(app.t("layer.code"), linker.code()), section(app.t("layer.why"), ...why(app, layer, linker)), section(app.t("layer.count"), ...count(app, layer, linker))),
      h("div", {}, section(app.t("layer.facts"), facts(app, layer)), warnings(app, layer))),
  );
  if (layer.parameters.weights.length) root.append(section(app.t("layer.weights"), weightTable(app, layer), kernels(app, layer)));
  if (layer.ops.length > 1) root.append(ops(app, layer));
  return root;
}

const section = (title: string, ...children: Child[]): HTMLElement => h("section", { class: "part" }, h("h3", {}, title), ...children);

function tensors(app: App, list: Tensor[]): Node[] {
  if (!list.length) return [h("span", { class: "muted" }, "?")];
  return list.flatMap((tensor, i) => {
    const axes = tensor.shape.map((n, k) => h("span", { class: "axis" }, h("b", {}, n === null ? "?" : String(n)), h("small", {}, app.axis(tensor.axes[k] ?? `axis ${k}`))));
    const shown = h("span", { class: "tensor" }, ...axes.slice(1).flatMap((axis, k) => (k ? [h("i", { "aria-hidden": "true" }, "×"), axis] : [axis])));
    return i ? [h("span", { class: "muted" }, "+"), shown] : [shown];
  });
}

/** Ties numbers to arguments: whichever is pointed at or focused lights up the other. */
class Linker {
  private readonly parts = new Map<string, HTMLElement[]>();
  constructor(private readonly app: App, private readonly layer: Layer) {}

  code(): HTMLElement {
    const found = pieces(this.layer.code, this.layer.class);
    const line = h("code", { class: "code" }, ...found.map((piece) => {
      if (!piece.argument) return h("span", {}, piece.text);
      const element = h("span", { class: "argument" }, piece.text);
      this.enter(piece.argument, element);
      return element;
    }));
    const box = h("div", { class: "code-box" }, line);
    const given = new Set(found.map((piece) => piece.argument));
    const wanted = this.layer.window ? ["kernel_size", "pool_size", "strides", "padding", "dilation_rate", "groups"] : this.layer.class === "Dense" ? ["use_bias", "activation"] : [];
    const missing = wanted.filter((name) => !given.has(name) && this.layer.config[name] !== undefined);
    if (missing.length) box.append(h("p", { class: "defaults" }, this.app.t("layer.defaults"), " ", ...missing.map((name) => {
      const element = h("span", { class: "argument" }, `${name}=${python(this.layer.config[name])}`);
      this.enter(name, element);
      return element;
    })));
    return box;
  }

  private enter(name: string, element: HTMLElement): void {
    (this.parts.get(name) ?? this.parts.set(name, []).get(name)!).push(element);
  }

  /** A number that an argument, or the layer before, has set. */
  factor(text: string, argument: string): HTMLElement {
    const { app, layer } = this;
    const before = layer.parents[0];
    const from = argument === "input" ? (before === undefined ? app.t("factor.data") : app.t("factor.input", { layer: app.layers[before]!.name })) : app.t("factor.argument", { argument });
    const light = (on: boolean) => () => {
      for (const element of this.parts.get(argument) ?? []) element.classList.toggle("lit", on);
      button.classList.toggle("lit", on);
    };
    const button = h("button", {
      type: "button", class: `factor ${argument === "input" ? "from-input" : ""}`, title: from, "aria-label": `${text}, ${from}`, onmouseenter: light(true), onmouseleave: light(false), onfocus: light(true), onblur: light(false),
      onclick: () => { if (argument === "input" && before !== undefined) app.set({ layer: before, cell: null, channel: 0 }); },
    }, text);
    return button;
  }

  tokens(list: Token[], names: Record<string, string>): HTMLElement {
    return h("span", { class: "formula" }, ...list.map((token) => {
      if (!token.from) return token.text;
      if (token.from === "result") return h("b", {}, token.text);
      if (token.from === "size") return this.factor(token.text, "input");
      return this.factor(token.text, names[token.from] ?? token.from);
    }));
  }
}

/** A value as Python writes it; lists are the tuples that they were. */
function python(value: unknown): string {
  if (Array.isArray(value)) return `(${value.map(python).join(", ")}${value.length === 1 ? "," : ""})`;
  if (value === true || value === false) return value ? "True" : "False";
  if (value === null || value === undefined) return "None";
  return typeof value === "string" ? `'${value}'` : JSON.stringify(value);
}

/** The page's names of the parts of a rule, and the arguments that Keras has for them. */
function argumentNames(layer: Layer): Record<string, string> {
  const pool = layer.window?.kind === "max" || layer.window?.kind === "average";
  return { kernel: pool ? "pool_size" : "kernel_size", stride: layer.window?.strides && pool && layer.config["strides"] === null ? "pool_size" : "strides", dilation: "dilation_rate", padding: "padding", output_padding: "output_padding", ...layer.window?.arguments };
}

function why(app: App, layer: Layer, linker: Linker): HTMLElement[] {
  const texts = app.texts?.sentences[layer.index] ?? [];
  const seen = new Set<string>();
  const out = layer.outputs[0];
  const tells = (sentence: Sentence): boolean => sentence.axis === null || (sentence.axis > 0 && sentence.after === (out?.shape[sentence.axis] ?? null)); // not what happens inside only
  const axisless = layer.sentences.every((sentence) => sentence.axis === null);
  const items = layer.sentences.map((sentence, i) => {
    if ((sentence.axis === null && !axisless) || !tells(sentence)) return null;
    const key = `${sentence.axis ?? "all"} ${sentence.name}`;
    if (seen.has(key)) return null;
    seen.add(key);
    const place = layer.window?.spatial_axes.indexOf(sentence.axis ?? -1) ?? -1;
    const formula = place >= 0 ? worked(layer, place, linker) : null;
    const change = sentence.before !== null && sentence.after !== null ? h("span", { class: "change" }, `${sentence.before} → ${sentence.after}`) : h("span", { class: "change" });
    return h("li", {}, h("span", { class: "axis-name" }, app.axis(sentence.name)), change,
      h("span", { class: "why-text" }, formula, formula ? h("span", { class: "gloss" }, texts[i] ?? sentence.text) : (texts[i] ?? sentence.text)));
  });
  if (!items.some(Boolean)) return [h("p", { class: "muted" }, app.t(layer.class === "InputLayer" ? "layer.entry" : same(layer) ? "layer.same" : "layer.silent"))];
  return [h("ul", { class: "why" }, ...items)];
}

const same = (layer: Layer): boolean => JSON.stringify(layer.inputs[0]?.shape) === JSON.stringify(layer.outputs[0]?.shape);

/** The arithmetic of one axis of a window, if the page's own rule gives the size that the trace has. */
function worked(layer: Layer, place: number, linker: Linker): HTMLElement | null {
  const window = layer.window!;
  const size = window.input_sizes[place];
  if (size === null || size === undefined) return null;
  const found = work({
    size, kernel: window.kernel[place]!, stride: window.strides[place]!, dilation: window.dilation[place]!, padding: window.padding,
    transposed: window.kind === "transposed", outputPadding: window.output_padding?.[place] ?? null,
  });
  return found.size === window.output_sizes[place] ? linker.tokens(found.tokens, argumentNames(layer)) : null;
}

function count(app: App, layer: Layer, linker: Linker): HTMLElement[] {
  const { parameters } = layer;
  if (parameters.shared_with !== null) {
    return [h("p", {}, app.t("layer.shared", { layer: app.layers[parameters.shared_with]!.name, count: parameters.count }))];
  }
  if (!parameters.weights.length) return [h("p", { class: "muted" }, app.t("layer.weightless"))];
  if (app.layers.some((other) => other.parent === layer.index)) return [h("p", {}, app.texts?.parameters[layer.index] ?? parameters.sentence)];
  const line = h("p", { class: "formula big" });
  parameters.weights.forEach((weight, i) => {
    if (i) line.append(" + ");
    line.append(...factors(app, weight, linker, parameters.weights.length > 1));
  });
  line.append(" = ", h("b", {}, app.number(parameters.count)));
  const frozen = parameters.count - parameters.trainable;
  return [line, h("p", { class: "gloss" }, app.texts?.parameters[layer.index] ?? parameters.sentence, frozen ? ` · ${app.t("layer.frozen", { count: frozen })}` : "")];
}

function factors(app: App, weight: Weight, linker: Linker, brackets: boolean): (string | Node)[] {
  const found: (string | Node)[] = [];
  if (weight.shape.length > 1 && brackets) found.push("(");
  weight.shape.forEach((n, i) => {
    const axis = weight.axes[i] ?? `axis ${i}`;
    if (i) found.push(" × ");
    const factor = linker.factor(String(n), weight.shape.length === 1 && weight.name === "bias" ? argumentOfAxis(axis) : argumentOfAxis(axis));
    found.push(h("span", { class: "named" }, factor, h("small", {}, weight.shape.length === 1 ? app.axis(weight.name) : app.axis(axis))));
  });
  if (!weight.shape.length) found.push("1");
  if (weight.shape.length > 1 && brackets) found.push(")");
  return found;
}

function facts(app: App, layer: Layer): HTMLElement {
  const rows: [string, Child][] = [
    [app.t("fact.parameters"), app.number(layer.parameters.count)],
    [app.t("fact.bytes"), app.bytes(layer.bytes)],
    [app.t("fact.macs"), layer.multiply_adds.forward === null ? "–" : app.number(layer.multiply_adds.forward)],
    [app.t("fact.activations"), app.bytes(layer.activation_bytes)],
  ];
  for (const field of layer.receptive_field.slice(0, 2)) {
    const text = field.whole || !field.axes.length ? app.t("fact.whole") : field.axes.map((a) => (a.whole ? app.t("fact.all") : String(a.size ?? "?"))).join(" × ");
    const steps = field.whole ? "" : app.t("fact.jump", { jump: field.axes.map((a) => String(a.jump ?? "–")).join(" × "), start: field.axes.map((a) => String(a.start ?? "–").replace("-", "−")).join(", ") });
    rows.push([app.t("fact.field"), h("span", {}, text, steps ? h("small", {}, ` ${steps}`) : null)]);
  }
  return h("dl", { class: "facts" }, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function warnings(app: App, layer: Layer): HTMLElement | null {
  const texts = app.document.warnings.map((w, i) => ({ layer: w.layer, text: app.texts?.warnings[i] ?? w.text })).filter((w) => w.layer === layer.index);
  if (!texts.length) return null;
  return h("section", { class: "part notice" }, h("h3", {}, app.t("layer.mind")), ...texts.map((w) => h("p", {}, w.text)));
}

function weightTable(app: App, layer: Layer): HTMLElement {
  const head = ["weight.name", "weight.shape", "weight.axes", "weight.numbers", "weight.trainable"].map((key) => h("th", { scope: "col" }, app.t(key)));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": app.t("layer.weights") }, h("table", { class: "plain" }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...layer.parameters.weights.slice(0, 40).map((w) => h("tr", {},
    h("th", { scope: "row" }, w.path || w.name), h("td", {}, w.shape.join(" × ") || "–"), h("td", {}, w.axes.map((a) => app.axis(a)).join(" × ")), h("td", {}, app.number(w.size)),
    h("td", {}, app.t(w.trainable ? "yes" : "no")))))));
}

function ops(app: App, layer: Layer): HTMLElement {
  return twin(app.t("layer.ops", { count: layer.ops.length }), "", () => ({
    head: [app.t("table.op"), app.t("table.input"), app.t("table.output")],
    rows: layer.ops.map((op) => [op.name, op.inputs.map((x) => app.shapeText(x.shape)).join("; "), op.output ? app.shapeText(op.output.shape) : "–"]),
  }));
}
