// Running a small network in the page, layer after layer, on one sample.

import { size, type Dense } from "../core/data";
import { inOrder } from "../core/app";
import type { Document, Layer } from "../core/types";
import { channelsFirst, windowTaps } from "../receptive/boxes";
import { activationName, ACTIVATIONS } from "./activations";
import * as k from "./kernels";

type Weights = Record<string, Dense>;
type Run = (layer: Layer, inputs: Dense[], weights: Weights) => Dense;

const identity: Run = (_, [x]) => x!;
const numberOf = (value: unknown, otherwise: number): number => (typeof value === "number" ? value : otherwise);
const listOf = (value: unknown, rank: number): number[] => (Array.isArray(value) ? (value as number[]) : new Array<number>(rank).fill(numberOf(value, 1)));

/** Runs a channels-last kernel on a layer that may keep its channels first. */
function last(layer: Layer, x: Dense, run: (x: Dense) => Dense): Dense {
  if (!channelsFirst(layer)) return run(x);
  const rank = x.shape.length - 1;
  const there = [...Array.from({ length: rank }, (_, i) => i + 1), 0];
  const out = run(k.transpose(x, there));
  return out.shape.length < 2 ? out : k.transpose(out, [rank, ...Array.from({ length: rank }, (_, i) => i)]);
}

function outputSizes(layer: Layer): number[] {
  return layer.window!.output_sizes.map((n) => n ?? 1);
}

function sizesOf(layer: Layer, x: Dense): number[] {
  return layer.window!.spatial_axes.map((_, i) => x.shape[i]!);
}

const convolution: Run = (layer, [input], weights) => {
  const window = layer.window!;
  const out = last(layer, input!, (x) => {
    const how = { axes: windowTaps(layer, sizesOf(layer, x)), outputs: outputSizes(layer), groups: window.groups, depthwise: window.kind === "depthwise", transposed: window.kind === "transposed" };
    if (window.kind !== "separable") return k.convolve(x, (weights["kernel"] ?? weights["depthwise_kernel"])!, weights["bias"] ?? null, how);
    const middle = k.convolve(x, weights["depthwise_kernel"]!, null, { ...how, depthwise: true, groups: 1 });
    const point = weights["pointwise_kernel"]!;
    return k.matmul(middle, { data: point.data, shape: point.shape.slice(-2) }, weights["bias"] ?? null);
  });
  if (activationName(layer.config) === "softmax") return k.activate(out, "softmax");
  return k.activate(out, activationName(layer.config));
};

const pooling: Run = (layer, [input]) =>
  last(layer, input!, (x) => k.pool(x, windowTaps(layer, sizesOf(layer, x)), outputSizes(layer), layer.window!.kind === "max" ? "max" : "average"));

const globalPooling: Run = (layer, [input]) =>
  last(layer, input!, (x) => k.globalPool(x, layer.class.includes("Max") ? "max" : "average", layer.config["keepdims"] === true));

const batchNormalization: Run = (layer, [x], weights) => {
  const mean = weights["moving_mean"]!.data;
  const variance = weights["moving_variance"]!.data;
  const factor = Array.from(variance, (v, i) => numberOf(weights["gamma"]?.data[i], 1) / Math.sqrt(v + numberOf(layer.config["epsilon"], 1e-3)));
  const shift = factor.map((f, i) => numberOf(weights["beta"]?.data[i], 0) - f * mean[i]!);
  const axis = numberOf(layer.config["axis"], -1);
  return k.scaleAlong(x!, axis < 0 ? axis + x!.shape.length : axis - 1, factor, shift);
};

const layerNormalization: Run = (layer, [x], weights) =>
  k.alongLast(x!, (row) => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length;
    const scale = 1 / Math.sqrt(variance + numberOf(layer.config["epsilon"], 1e-3));
    return row.map((value, i) => (value - mean) * scale * numberOf(weights["gamma"]?.data[i], 1) + numberOf(weights["beta"]?.data[i], 0));
  });

/** Padding widths `[before, after]` of each spatial axis from the ways Keras lets people write them. */
function widths(value: unknown, rank: number): [number, number][] {
  if (rank === 1 && Array.isArray(value) && typeof value[0] === "number") return [[value[0], value[1] as number]];
  return listOf(value, rank).map((item: number | number[]) => (Array.isArray(item) ? [item[0]!, item[1]!] : [item, item]));
}

function pasted(grow: boolean): Run {
  return (layer, [input]) => last(layer, input!, (x) => {
    const rank = x.shape.length - 1;
    const pads = widths(layer.config[grow ? "padding" : "cropping"], rank);
    const way = grow ? 1 : -1;
    const shape = x.shape.map((n, i) => (i < rank ? n + way * (pads[i]![0] + pads[i]![1]) : n));
    return k.copy(x, shape, (cell) => {
      const place = cell.map((c, i) => (i < rank ? c - way * pads[i]![0] : c));
      return place.every((p, i) => p >= 0 && p < x.shape[i]!) ? place : null;
    });
  });
}

const upsampling: Run = (layer, [input]) => last(layer, input!, (x) => {
  const rank = x.shape.length - 1;
  const factors = listOf(layer.config["size"], rank);
  const shape = x.shape.map((n, i) => (i < rank ? n * factors[i]! : n));
  return k.copy(x, shape, (cell) => cell.map((c, i) => (i < rank ? Math.floor(c / factors[i]!) : c)));
});

const reshaping: Run = (layer, [x]) => {
  if (layer.class === "Flatten") return { shape: [x!.data.length], data: channelsFirst(layer) ? k.transpose(x!, [...x!.shape.keys()].slice(1).concat(0)).data : x!.data };
  const given = (layer.config["target_shape"] ?? layer.outputs[0]!.shape.slice(1)) as number[];
  const known = size(given.filter((n) => n > 0));
  return { shape: given.map((n) => (n > 0 ? n : x!.data.length / known)), data: x!.data };
};

const joined = (fn: (a: number, b: number) => number): Run => (_, inputs) => k.combine(inputs, fn);
const activation = (layer: Layer): string => {
  if (layer.class === "ReLU") return "relu";
  return activationName(layer.config);
};

/** How each class runs. What is not here cannot run in the page, which is said. */
export const RUNS: Record<string, Run> = {
  InputLayer: identity, Dropout: identity, SpatialDropout1D: identity, SpatialDropout2D: identity, SpatialDropout3D: identity,
  GaussianNoise: identity, GaussianDropout: identity, AlphaDropout: identity, ActivityRegularization: identity, Identity: identity,
  Dense: (layer, [x], weights) => k.activate(k.matmul(x!, weights["kernel"]!, weights["bias"] ?? null), activationName(layer.config)),
  Activation: (layer, [x]) => k.activate(x!, activation(layer)),
  ReLU: (layer, [x]) => {
    const [slope, threshold, top] = [numberOf(layer.config["negative_slope"], 0), numberOf(layer.config["threshold"], 0), numberOf(layer.config["max_value"], Infinity)];
    return { shape: x!.shape, data: x!.data.map((v) => (v >= threshold ? Math.min(v, top) : slope * (v - threshold))) };
  },
  LeakyReLU: (layer, [x]) => {
    const slope = numberOf(layer.config["negative_slope"], 0.3);
    return { shape: x!.shape, data: x!.data.map((v) => (v > 0 ? v : slope * v)) };
  },
  ELU: (layer, [x]) => ({ shape: x!.shape, data: x!.data.map((v) => (v > 0 ? v : numberOf(layer.config["alpha"], 1) * Math.expm1(v))) }),
  Softmax: (_, [x]) => k.activate(x!, "softmax"),
  Rescaling: (layer, [x]) => ({ shape: x!.shape, data: x!.data.map((v) => v * numberOf(layer.config["scale"], 1) + numberOf(layer.config["offset"], 0)) }),
  Flatten: reshaping, Reshape: reshaping,
  Permute: (layer, [x]) => k.transpose(x!, (layer.config["dims"] as number[]).map((d) => d - 1)),
  RepeatVector: (layer, [x]) => k.copy(x!, [numberOf(layer.config["n"], 1), x!.shape[0]!], (cell) => [cell[1]!]),
  BatchNormalization: batchNormalization, LayerNormalization: layerNormalization,
  Add: joined((a, b) => a + b), Subtract: joined((a, b) => a - b), Multiply: joined((a, b) => a * b),
  Maximum: joined(Math.max), Minimum: joined(Math.min),
  Average: (_, inputs) => {
    const sum = k.combine(inputs, (a, b) => a + b);
    return { shape: sum.shape, data: sum.data.map((v) => v / inputs.length) };
  },
  Concatenate: (layer, inputs) => {
    const axis = numberOf(layer.config["axis"], -1);
    return k.concatenate(inputs, axis < 0 ? axis : axis - 1);
  },
};
for (const rank of ["1D", "2D", "3D"]) {
  RUNS[`Conv${rank}`] = RUNS[`Conv${rank}Transpose`] = RUNS[`SeparableConv${rank}`] = RUNS[`DepthwiseConv${rank}`] = convolution;
  RUNS[`MaxPooling${rank}`] = RUNS[`AveragePooling${rank}`] = pooling;
  RUNS[`GlobalMaxPooling${rank}`] = RUNS[`GlobalAveragePooling${rank}`] = globalPooling;
  RUNS[`ZeroPadding${rank}`] = pasted(true);
  RUNS[`Cropping${rank}`] = pasted(false);
  RUNS[`UpSampling${rank}`] = upsampling;
}

const NEEDS_ACTIVATION = /^(Conv|Depthwise|Separable|Dense|Activation)/;

/** Why one layer cannot run here, or null if it can. */
function hinders(layer: Layer): { key: string; values: Record<string, string> } | null {
  const values = { layer: layer.name, class: layer.class };
  if (!RUNS[layer.class]) return { key: "infer.class", values };
  if (/^(Conv|Depthwise|Separable|MaxP|AverageP)/.test(layer.class) && !layer.window) return { key: "infer.class", values };
  if (layer.window && layer.window.output_sizes.some((n) => n === null)) return { key: "infer.sizes", values };
  if (layer.class === "UpSampling2D" && (layer.config["interpolation"] ?? "nearest") !== "nearest") return { key: "infer.class", values };
  if (layer.class === "Softmax" && (layer.config["axis"] ?? -1) !== -1) return { key: "infer.class", values };
  if (layer.class === "BatchNormalization" && typeof (layer.config["axis"] ?? -1) !== "number") return { key: "infer.class", values };
  if (layer.class === "LayerNormalization" && JSON.stringify(layer.config["axis"] ?? -1) !== "-1" && JSON.stringify(layer.config["axis"]) !== "[-1]" && layer.config["axis"] !== layer.outputs[0]!.shape.length - 1) return { key: "infer.class", values };
  if (NEEDS_ACTIVATION.test(layer.class)) {
    const name = activationName(layer.config);
    if (name !== "softmax" && !(name in ACTIVATIONS)) return { key: "infer.activation", values };
  }
  return null;
}

/** The most multiply-adds that a run in the page may take: about half a second. */
export const LARGEST = 150e6;

/** Why the network cannot run in the page, or null if it can. */
export function hindrance(document: Document, layers: Layer[], carried: (index: number) => boolean): { key: string; values: Record<string, string> } | null {
  if (document.model.inputs.length !== 1) return { key: "infer.inputs", values: {} };
  for (const layer of layers) {
    if (isModel(layers, layer.index)) continue;
    const found = hinders(layer);
    if (found) return found;
    if (layer.parents.length === 0 && layer.class !== "InputLayer" && layer.index !== 0) return { key: "infer.graph", values: { layer: layer.name } };
    if (!carried(layer.index)) return { key: "infer.weights", values: { layer: layer.name } };
  }
  if ((document.totals.multiply_adds.forward ?? 0) > LARGEST) return { key: "infer.cost", values: {} };
  return null;
}

const isModel = (layers: Layer[], index: number): boolean => layers.some((other) => other.parent === index);

/** Runs all layers on one sample; returns each layer's output. */
export function forward(layers: Layer[], weights: Weights[], input: Dense): Dense[] {
  const outputs: Dense[] = [];
  for (const index of inOrder(layers)) {
    const layer = layers[index]!;
    const inputs = layer.parents.length ? layer.parents.map((p) => outputs[p]!) : [input];
    outputs[index] = isModel(layers, index) ? inputs[0]! : RUNS[layer.class]!(layer, inputs, weights[index] ?? {});
  }
  return outputs;
}
