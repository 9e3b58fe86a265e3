// Activation functions by Keras' names, in double precision. Softmax-like ones work on a whole row.

import { reals } from "./special";

export type Activation = (x: number) => number;
const sigmoid: Activation = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
const softplus: Activation = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const gelu: Activation = (x) => 0.5 * x * (1 + reals.erf(x / Math.SQRT2));

export const ACTIVATIONS: Record<string, Activation> = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  sigmoid, softplus, gelu,
  tanh: Math.tanh,
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
  softsign: (x) => x / (1 + Math.abs(x)),
  silu: (x) => x * sigmoid(x),
  swish: (x) => x * sigmoid(x),
  exponential: Math.exp,
  hard_sigmoid: (x) => Math.min(Math.max(x / 6 + 0.5, 0), 1),
  hard_silu: (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1),
  hard_swish: (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1),
  mish: (x) => x * Math.tanh(softplus(x)),
  leaky_relu: (x) => (x > 0 ? x : 0.2 * x),
  log_sigmoid: (x) => -softplus(-x),
};

export function softmax(row: ArrayLike<number>): Float64Array {
  let top = -Infinity;
  for (let i = 0; i < row.length; i++) top = Math.max(top, row[i]!);
  const out = new Float64Array(row.length);
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += out[i] = Math.exp(row[i]! - top);
  for (let i = 0; i < row.length; i++) out[i]! /= sum;
  return out;
}

/** The name of a layer's activation as its configuration gives it; "?" for one that is not a plain name. */
export function activationName(config: Record<string, unknown>): string {
  const given = config["activation"];
  if (given === undefined || given === null) return "linear";
  if (typeof given === "string") return given;
  if (typeof given === "object") {
    const table = given as { class_name?: unknown; config?: unknown };
    const name = typeof table.config === "string" ? table.config : table.class_name;
    if (typeof name === "string") return name in ACTIVATIONS || name === "softmax" ? name : "?";
  }
  return "?";
}
