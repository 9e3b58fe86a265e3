// The line of code that makes a layer, cut into arguments, so that each number can point at the one that set it.

export interface Piece { text: string; argument: string | null }

const POSITIONAL: [RegExp, string[]][] = [
  [/^DepthwiseConv/, ["kernel_size"]],
  [/^(Separable)?Conv/, ["filters", "kernel_size", "strides"]],
  [/Pooling\dD$/, ["pool_size", "strides"]],
  [/^Dense$/, ["units", "activation"]],
  [/^(LSTM|GRU|SimpleRNN)$/, ["units"]],
  [/^Embedding$/, ["input_dim", "output_dim"]],
  [/^Dropout$/, ["rate"]],
  [/^Activation$/, ["activation"]],
  [/^Input(Layer)?$/, ["shape"]],
  [/^UpSampling/, ["size"]],
  [/^ZeroPadding/, ["padding"]],
  [/^Cropping/, ["cropping"]],
  [/^Reshape$/, ["target_shape"]],
  [/^Permute$/, ["dims"]],
  [/^RepeatVector$/, ["n"]],
];

/** Cuts `layers.Conv2D(32, 3, padding='same')` into the call and its arguments. */
export function pieces(code: string, cls: string): Piece[] {
  const open = code.indexOf("(");
  const close = code.lastIndexOf(")");
  if (open < 0 || close < open) return [{ text: code, argument: null }];
  const names = POSITIONAL.find(([pattern]) => pattern.test(cls))?.[1] ?? [];
  const found: Piece[] = [{ text: code.slice(0, open + 1), argument: null }];
  split(code.slice(open + 1, close)).forEach((text, i) => {
    if (i) found.push({ text: ", ", argument: null });
    const named = /^\s*([A-Za-z_]\w*)\s*=(?!=)/.exec(text);
    found.push({ text: text.trim(), argument: named ? named[1]! : (names[i] ?? null) });
  });
  found.push({ text: code.slice(close), argument: null });
  return found;
}

/** Splits at the commas that stand in no bracket and no string. */
function split(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let quote = "";
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const sign = text[i]!;
    if (quote) {
      if (sign === "\\") i++;
      else if (sign === quote) quote = "";
    } else if (sign === "'" || sign === '"') quote = sign;
    else if ("([{".includes(sign)) depth++;
    else if (")]}".includes(sign)) depth--;
    else if (sign === "," && depth === 0) {
      found.push(text.slice(start, i));
      start = i + 1;
    }
  }
  const rest = text.slice(start);
  if (rest.trim()) found.push(rest);
  return found;
}

/** The constructor argument that sets a weight's axis; "input" for what comes from the layer before. */
export function argumentOfAxis(axis: string): string {
  if (axis.startsWith("kernel")) return "kernel_size";
  if (axis === "filters" || axis === "output channels") return "filters";
  if (axis === "units" || axis === "output features") return "units";
  if (axis.includes("multiplier")) return "depth_multiplier";
  return "input";
}
