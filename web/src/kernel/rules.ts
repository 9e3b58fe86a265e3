// The arithmetic of windows: how the size of an axis follows from kernel, stride, padding and dilation, forward and
// transposed, and which input cells an output cell reads. Pure functions; the tests hold them against real networks.

export type Padding = "valid" | "same" | "causal";
export interface AxisRule { size: number; kernel: number; stride: number; dilation: number; padding: Padding; transposed: boolean; outputPadding?: number | null }
/** One piece of a worked formula: a number and the argument that set it, or a sign. */
export interface Token { text: string; from?: string }
export interface Worked { size: number; before: number; after: number; reach: number; tokens: Token[]; steps: { key: string; values: Record<string, number | string> }[] }

export const reachOf = (kernel: number, dilation: number): number => dilation * (kernel - 1) + 1;

const n = (value: number | string, from: string): Token => ({ text: String(value), from });
const sign = (text: string): Token => ({ text });

/** The reach as a number, or as the arithmetic that gives it when cells are spread out. */
function reachTokens(rule: AxisRule): Token[] {
  if (rule.dilation === 1) return [n(rule.kernel, "kernel")];
  return [sign("("), n(rule.dilation, "dilation"), sign(" × ("), n(rule.kernel, "kernel"), sign(" − 1) + 1)")];
}

/** Works out the size of one axis. */
export function work(rule: AxisRule): Worked {
  const reach = reachOf(rule.kernel, rule.dilation);
  return rule.transposed ? workTransposed(rule, reach) : workForward(rule, reach);
}

function workForward(rule: AxisRule, reach: number): Worked {
  const { size, stride } = rule;
  if (rule.padding === "same") {
    const out = Math.ceil(size / stride);
    const pad = Math.max((out - 1) * stride + reach - size, 0);
    const before = Math.floor(pad / 2);
    const tokens = [sign("⌈"), n(size, "size"), sign(" / "), n(stride, "stride"), sign("⌉ = "), n(out, "result")];
    return {
      size: out, before, after: pad - before, reach, tokens,
      steps: [
        { key: "step.reach", values: { reach, kernel: rule.kernel, dilation: rule.dilation } },
        { key: "step.same", values: { out, stride, reach, size, pad, before, after: pad - before } },
      ],
    };
  }
  const before = rule.padding === "causal" ? reach - 1 : 0;
  const room = size + before - reach;
  const out = room < 0 ? 0 : Math.floor(room / stride) + 1;
  const tokens: Token[] = before
    ? [sign("⌊("), n(size, "size"), sign(" + "), n(before, "padding"), sign(" − ")]
    : [sign("⌊("), n(size, "size"), sign(" − ")];
  tokens.push(...reachTokens(rule), sign(") / "), n(stride, "stride"), sign("⌋ + 1 = "), n(out, "result"));
  const steps: Worked["steps"] = [{ key: "step.reach", values: { reach, kernel: rule.kernel, dilation: rule.dilation } }];
  if (before) steps.push({ key: "step.causal", values: { before } });
  if (room < 0) steps.push({ key: "step.none", values: { reach, size: size + before } });
  else {
    steps.push({ key: "step.room", values: { room, size: size + before, reach } });
    const rest = room % stride;
    if (rest) steps.push({ key: "step.rest", values: { rest, stride } });
  }
  return { size: out, before, after: 0, reach, tokens, steps };
}

function workTransposed(rule: AxisRule, reach: number): Worked {
  const { size, stride } = rule;
  const full = (size - 1) * stride + reach;
  const extra = rule.outputPadding ?? null;
  let out: number;
  let tokens: Token[];
  if (extra !== null) {
    const cut = rule.padding === "same" ? 2 * Math.floor(reach / 2) : 0;
    out = full - cut + extra;
    tokens = [sign("("), n(size, "size"), sign(" − 1) × "), n(stride, "stride"), sign(" + "), ...reachTokens(rule), sign(" − "), n(cut, "padding"), sign(" + "), n(extra, "output_padding"), sign(" = "), n(out, "result")];
  } else if (rule.padding === "same") {
    out = size * stride;
    tokens = [n(size, "size"), sign(" × "), n(stride, "stride"), sign(" = "), n(out, "result")];
  } else {
    out = size * stride + Math.max(reach - stride, 0);
    tokens = [n(size, "size"), sign(" × "), n(stride, "stride"), sign(" + max("), ...reachTokens(rule), sign(" − "), n(stride, "stride"), sign(", 0) = "), n(out, "result")];
  }
  const cut = full - out;
  const before = Math.floor(Math.max(cut, 0) / 2);
  return {
    size: out, before, after: cut - before, reach, tokens,
    steps: [
      { key: "step.reach", values: { reach, kernel: rule.kernel, dilation: rule.dilation } },
      { key: "step.spread", values: { size, stride, reach, full } },
      { key: cut > 0 ? "step.cut" : cut === 0 ? "step.full" : "step.fill", values: { cut: Math.abs(cut), before, after: cut - before, out } },
    ],
  };
}

/** A window along one axis, as run: `before` is padding in front (forward) or what is cut in front (transposed). */
export interface Taps { kernel: number; stride: number; dilation: number; before: number; size: number; transposed: boolean }

/** The `(input index, kernel index)` pairs that give one output cell; input indices outside 0..size-1 are padding. */
export function taps(axis: Taps, out: number): { input: number; kernel: number }[] {
  const found: { input: number; kernel: number }[] = [];
  for (let k = 0; k < axis.kernel; k++) {
    if (!axis.transposed) {
      found.push({ input: out * axis.stride - axis.before + k * axis.dilation, kernel: k });
      continue;
    }
    const at = out + axis.before - k * axis.dilation;
    if (at % axis.stride === 0 && at / axis.stride >= 0 && at / axis.stride < axis.size) found.push({ input: at / axis.stride, kernel: k });
  }
  return found;
}

/** The first and last input index that the outputs `low..high` read; unclipped for a forward window. */
export function interval(axis: Taps, low: number, high: number): [number, number] {
  const reach = reachOf(axis.kernel, axis.dilation);
  if (!axis.transposed) return [low * axis.stride - axis.before, high * axis.stride - axis.before + reach - 1];
  const first = Math.max(Math.ceil((low + axis.before - (reach - 1)) / axis.stride), 0);
  const last = Math.min(Math.floor((high + axis.before) / axis.stride), axis.size - 1);
  return [first, last];
}

/** Counts what a convolution has to learn: `kernel cells x channels per group x filters + biases`. */
export function countParameters(kernel: number[], channels: number, filters: number, groups: number, depthwise: boolean, bias: boolean): number {
  const cells = kernel.reduce((a, b) => a * b, 1);
  const weights = depthwise ? cells * channels * filters : cells * (channels / groups) * filters;
  return weights + (bias ? (depthwise ? channels * filters : filters) : 0);
}
