// One number of a layer's output, worked out from what the layer read: the terms, their sum, and what follows.

import { product, taking, windowTaps } from "../receptive/boxes";
import { taps } from "../kernel/rules";
import { activationName, ACTIVATIONS, softmax } from "../infer/activations";
import { dense } from "../infer/kernels";
import { RUNS } from "../infer/run";
import type { Layer } from "../core/types";

/** Reads one number; undefined where it is not carried. */
export type Reader = (place: number[]) => number | undefined;
export interface Term { x: number; w: number | null; product: number; input: number[]; kernel: number[]; padding: boolean; chosen?: boolean }
export interface Step { key: string; values: Record<string, number | string> }
export interface Cell {
  kind: "sum" | "max" | "average" | "copy" | "normalize" | "softmax" | "join";
  terms: Term[]; bias: number | null; sum: number; activation: string; value: number; steps: Step[]; rows?: number[];
  /** The window's shape: spatial kernel sizes and how many channels each term group spans. */
  patch: { kernel: number[]; channels: number[] } | null;
}
export interface Sources { inputs: Reader[]; weight: (name: string, place: number[]) => number | undefined; shapes: number[][]; output: number[]; own: Reader }

class Missing extends Error {}
const need = (value: number | undefined): number => {
  if (value === undefined) throw new Missing();
  return value;
};

/** Works one output cell out; null if the page does not know how, "missing" if a number that it needs is not carried. */
export function compute(layer: Layer, cell: number[], from: Sources): Cell | "missing" | null {
  try {
    return dispatch(layer, cell, from);
  } catch (error) {
    if (error instanceof Missing) return "missing";
    throw error;
  }
}

/** Layers that work on each number by itself. */
const ALONE = new Set(["ReLU", "LeakyReLU", "ELU", "Rescaling"]);
/** Layers that put numbers elsewhere, and zeros where there are none. */
const MOVES = /^(Permute|ZeroPadding|Cropping|UpSampling|RepeatVector)/;
const COPIES = /^(Dropout|SpatialDropout|GaussianNoise|GaussianDropout|AlphaDropout|Flatten|Reshape|InputLayer|Identity|ActivityRegularization)/;

function dispatch(layer: Layer, cell: number[], from: Sources): Cell | null {
  const name = layer.class;
  if (layer.window) {
    if (layer.window.kind === "max" || layer.window.kind === "average") return pooled(layer, cell, from);
    return convolved(layer, cell, from);
  }
  if (name === "Dense") return denseCell(layer, cell, from);
  if (name === "BatchNormalization") return normalized(layer, cell, from);
  if (name === "Softmax" || (name === "Activation" && activationName(layer.config) === "softmax")) return softmaxed(cell, from);
  if (name === "LayerNormalization") return evened(layer, cell, from);
  if (name === "Activation") {
    const x = need(from.inputs[0]!(cell));
    return finish("copy", [term(x, null, cell, [])], null, x, activationName(layer.config));
  }
  if (ALONE.has(name)) {
    const x = need(from.inputs[0]!(cell));
    const found = finish("copy", [term(x, null, cell, [])], null, x, name);
    found.value = RUNS[name]!(layer, [dense([1], [x])], {}).data[0]!;
    return found;
  }
  if (MOVES.test(name)) return moved(layer, cell, from);
  if (COPIES.test(name)) {
    const place = name === "Flatten" || name === "Reshape" ? refold(cell, from.output, from.shapes[0]!) : cell;
    const x = need(from.inputs[0]!(place));
    return finish("copy", [term(x, null, place, [])], null, x, "linear");
  }
  if (name.startsWith("Global")) return globalCell(layer, cell, from);
  if (name === "Add" || name === "Average" || name === "Subtract" || name === "Multiply") return joinedCell(layer, cell, from);
  if (name === "Concatenate") return concatenatedCell(layer, cell, from);
  return null;
}

const term = (x: number, w: number | null, input: number[], kernel: number[], padding = false): Term => ({ x, w, product: w === null ? x : x * w, input, kernel, padding });

function finish(kind: Cell["kind"], terms: Term[], bias: number | null, sum: number, activation: string, patch: Cell["patch"] = null): Cell {
  const fn = ACTIVATIONS[activation];
  return { kind, terms, bias, sum, activation, value: fn ? fn(sum) : sum, steps: [], patch };
}

function refold(cell: number[], from: number[], to: number[]): number[] {
  let at = cell.reduce((sum, c, i) => sum * from[i]! + c, 0);
  const found = new Array<number>(to.length);
  for (let i = to.length - 1; i >= 0; i--) {
    found[i] = at % to[i]!;
    at = Math.floor(at / to[i]!);
  }
  return found;
}

/** The places that a window reads for an output cell: input place, kernel place, and whether it is padding. */
function patch(layer: Layer, cell: number[], shape: number[]): { place: number[]; kernel: number[]; padding: boolean }[] {
  const window = layer.window!;
  const axes = window.spatial_axes.map((axis) => axis - 1);
  const rules = windowTaps(layer, axes.map((axis) => shape[axis]!));
  const options = rules.map((rule, i) => taps(rule, cell[axes[i]!]!));
  const found: { place: number[]; kernel: number[]; padding: boolean }[] = [];
  product(options.map((list) => list.map((_, k) => k)), (choice) => {
    const chosen = choice.map((k, i) => options[i]![k]!);
    found.push({
      place: chosen.map((tap) => tap.input), kernel: chosen.map((tap) => tap.kernel),
      padding: chosen.some((tap, i) => tap.input < 0 || tap.input >= shape[axes[i]!]!),
    });
  });
  return found;
}

const whole = (layer: Layer, place: number[], channel: number): number[] => (layer.window!.channels_first ? [channel, ...place] : [...place, channel]);
const range = (start: number, count: number): number[] => Array.from({ length: count }, (_, i) => start + i);

function convolved(layer: Layer, cell: number[], from: Sources): Cell | null {
  const window = layer.window!;
  const shape = from.shapes[0]!;
  const axis = window.channels_first ? 0 : shape.length - 1;
  const channels = shape[axis]!;
  const outputs = from.output[axis]!;
  const read = from.inputs[0]!;
  const activation = activationName(layer.config);
  const kernelName = layer.parameters.weights.some((w) => w.name === "depthwise_kernel") ? "depthwise_kernel" : "kernel";
  const linear = (out: number): { terms: Term[]; bias: number | null; sum: number; channels: number[] } => {
    let inputs = range(0, channels);
    const multiplier = Math.round(outputs / channels);
    if (window.kind === "depthwise") inputs = [Math.floor(out / multiplier)];
    else if (window.groups > 1) inputs = range(Math.floor(out / (outputs / window.groups)) * (channels / window.groups), channels / window.groups);
    const terms: Term[] = [];
    for (const at of patch(layer, cell, shape)) for (const c of inputs) {
      const x = at.padding ? 0 : need(read(whole(layer, at.place, c)));
      const w = window.kind === "transposed" ? [...at.kernel, out, c]
        : window.kind === "depthwise" ? [...at.kernel, c, out % multiplier] : [...at.kernel, c - inputs[0]!, out];
      terms.push(term(x, need(from.weight(kernelName, w)), whole(layer, at.place, c), at.kernel, at.padding));
    }
    return biased(layer, terms, out, from, inputs);
  };
  const separable = (out: number): ReturnType<typeof linear> => {
    const kernel = layer.parameters.weights.find((w) => w.name === "depthwise_kernel")!.shape;
    const multiplier = kernel[kernel.length - 1]!;
    const places = patch(layer, cell, shape);
    const terms: Term[] = range(0, channels * multiplier).map((d) => {
      const c = Math.floor(d / multiplier);
      let sum = 0;
      for (const at of places) if (!at.padding) sum += need(read(whole(layer, at.place, c))) * need(from.weight("depthwise_kernel", [...at.kernel, c, d % multiplier]));
      return term(sum, need(from.weight("pointwise_kernel", [...window.kernel.map(() => 0), d, out])), whole(layer, places[0]!.place, c), []);
    });
    return biased(layer, terms, out, from, range(0, channels * multiplier));
  };
  const one = window.kind === "separable" ? separable : linear;
  const out = cell[axis]!;
  const mine = one(out);
  const found = finish("sum", mine.terms, mine.bias, mine.sum, activation, { kernel: window.kind === "separable" ? [] : window.kernel, channels: mine.channels });
  if (activation === "softmax") applySoftmax(found, range(0, outputs).map((o) => one(o).sum), out);
  else if (!(activation in ACTIVATIONS)) return null;
  return found;
}

function biased(layer: Layer, terms: Term[], out: number, from: Sources, channels: number[]): { terms: Term[]; bias: number | null; sum: number; channels: number[] } {
  const bias = layer.parameters.weights.some((w) => w.name === "bias") ? need(from.weight("bias", [out])) : null;
  return { terms, bias, sum: terms.reduce((sum, t) => sum + t.product, bias ?? 0), channels };
}

function applySoftmax(cell: Cell, rows: number[], place: number): void {
  cell.value = softmax(rows)[place]!;
  cell.rows = rows;
}

function denseCell(layer: Layer, cell: number[], from: Sources): Cell | null {
  const shape = from.shapes[0]!;
  const n = shape[shape.length - 1]!;
  const units = from.output[from.output.length - 1]!;
  const activation = activationName(layer.config);
  const one = (unit: number): ReturnType<typeof biased> => {
    const terms = range(0, n).map((i) => {
      const place = [...cell.slice(0, -1), i];
      return term(need(from.inputs[0]!(place)), need(from.weight("kernel", [i, unit])), place, [i]);
    });
    return biased(layer, terms, unit, from, range(0, n));
  };
  const unit = cell[cell.length - 1]!;
  const mine = one(unit);
  const found = finish("sum", mine.terms, mine.bias, mine.sum, activation);
  if (activation === "softmax") applySoftmax(found, range(0, units).map((u) => one(u).sum), unit);
  else if (!(activation in ACTIVATIONS)) return null;
  return found;
}

function pooled(layer: Layer, cell: number[], from: Sources): Cell {
  const shape = from.shapes[0]!;
  const channel = cell[layer.window!.channels_first ? 0 : cell.length - 1]!;
  const terms = patch(layer, cell, shape).map((at) => {
    const place = whole(layer, at.place, channel);
    return term(at.padding ? 0 : need(from.inputs[0]!(place)), null, place, at.kernel, at.padding);
  });
  return gathered(terms, layer.window!.kind === "max", { kernel: layer.window!.kernel, channels: [channel] });
}

function gathered(terms: Term[], max: boolean, shape: Cell["patch"]): Cell {
  const real = terms.filter((t) => !t.padding);
  const value = max ? real.reduce((top, t) => Math.max(top, t.x), -Infinity) : real.reduce((sum, t) => sum + t.x, 0) / real.length;
  if (max) for (const t of real) t.chosen = t.x === value;
  const found = finish(max ? "max" : "average", terms, null, value, "linear", shape);
  found.steps.push({ key: max ? "cell.max" : "cell.average", values: { count: real.length, padding: terms.length - real.length } });
  return found;
}

function globalCell(layer: Layer, cell: number[], from: Sources): Cell {
  const shape = from.shapes[0]!;
  const first = layer.config["data_format"] === "channels_first";
  const channel = cell[first ? 0 : cell.length - 1]!;
  const terms: Term[] = [];
  product((first ? shape.slice(1) : shape.slice(0, -1)).map((n) => range(0, n)), (place) => {
    const at = first ? [channel, ...place] : [...place, channel];
    terms.push(term(need(from.inputs[0]!(at)), null, at, [...place]));
  });
  return gathered(terms, layer.class.includes("Max"), null);
}

function normalized(layer: Layer, cell: number[], from: Sources): Cell {
  const axis = Number(layer.config["axis"] ?? -1);
  const channel = cell[axis < 0 ? axis + cell.length : axis - 1]!;
  return scaled(layer, cell, need(from.inputs[0]!(cell)), need(from.weight("moving_mean", [channel])), need(from.weight("moving_variance", [channel])), channel, from);
}

function scaled(layer: Layer, cell: number[], x: number, mean: number, variance: number, channel: number, from: Sources): Cell {
  const has = (name: string): boolean => layer.parameters.weights.some((w) => w.name === name);
  const gamma = has("gamma") ? need(from.weight("gamma", [channel])) : 1;
  const beta = has("beta") ? need(from.weight("beta", [channel])) : 0;
  const epsilon = Number(layer.config["epsilon"] ?? 1e-3);
  const value = ((x - mean) / Math.sqrt(variance + epsilon)) * gamma + beta;
  const found = finish("normalize", [term(x, null, cell, [])], null, value, "linear");
  found.steps.push({ key: "cell.normalize", values: { x, mean, variance, epsilon, gamma, beta, value } });
  return found;
}

function moved(layer: Layer, cell: number[], from: Sources): Cell | null {
  if (layer.class === "RepeatVector" || (layer.class.startsWith("UpSampling") && (layer.config["interpolation"] ?? "nearest") !== "nearest")) return null;
  const box = taking(layer, cell.map((at) => [at, at]), from.shapes)[0]!;
  const padding = box.some(([low, high]) => low > high);
  if (!padding && box.some(([low, high]) => low !== high)) return null;
  const place = box.map(([low]) => low);
  const x = padding ? 0 : need(from.inputs[0]!(place));
  return finish("copy", [term(x, null, place, [], padding)], null, x, "linear");
}

/** Layer normalisation along the last axis. */
function evened(layer: Layer, cell: number[], from: Sources): Cell | null {
  const axis = layer.config["axis"] ?? -1;
  if (JSON.stringify(axis) !== "-1" && JSON.stringify(axis) !== "[-1]" && axis !== cell.length) return null;
  const n = from.output[from.output.length - 1]!;
  const row = range(0, n).map((i) => need(from.inputs[0]!([...cell.slice(0, -1), i])));
  const mean = row.reduce((a, b) => a + b, 0) / n;
  const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
  return scaled(layer, cell, row[cell[cell.length - 1]!]!, mean, variance, cell[cell.length - 1]!, from);
}

function softmaxed(cell: number[], from: Sources): Cell {
  const n = from.output[from.output.length - 1]!;
  const rows = range(0, n).map((i) => need(from.inputs[0]!([...cell.slice(0, -1), i])));
  const place = cell[cell.length - 1]!;
  const found = finish("softmax", [], null, rows[place]!, "softmax");
  applySoftmax(found, rows, place);
  return found;
}

function joinedCell(layer: Layer, cell: number[], from: Sources): Cell {
  const terms = from.inputs.map((read, i) => {
    const shape = from.shapes[i]!;
    const place = cell.slice(cell.length - shape.length).map((c, k) => (shape[k] === 1 ? 0 : c));
    return term(need(read(place)), null, place, [i]);
  });
  const values = terms.map((t) => t.x);
  const sum = layer.class === "Multiply" ? values.reduce((a, b) => a * b)
    : layer.class === "Subtract" ? values.reduce((a, b) => a - b)
    : values.reduce((a, b) => a + b) / (layer.class === "Average" ? values.length : 1);
  return finish("join", terms, null, sum, "linear");
}

function concatenatedCell(layer: Layer, cell: number[], from: Sources): Cell {
  let axis = Number(layer.config["axis"] ?? -1);
  axis = axis < 0 ? axis + cell.length : axis - 1;
  let at = cell[axis]!;
  let which = 0;
  while (at >= from.shapes[which]![axis]!) at -= from.shapes[which++]![axis]!;
  const place = cell.map((c, i) => (i === axis ? at : c));
  const x = need(from.inputs[which]!(place));
  return finish("copy", [term(x, null, place, [which])], null, x, "linear");
}
