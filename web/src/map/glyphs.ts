// A few signs for what a layer does, so that the map can be read at a glance without relying on colour.

import type { Layer } from "../core/types";

export type Family = "window" | "pool" | "dense" | "norm" | "shape" | "join" | "each" | "input" | "other";

export function family(layer: Layer): Family {
  const name = layer.class;
  if (name === "InputLayer") return "input";
  if (/Pool/.test(name)) return "pool";
  if (layer.window || /Conv/.test(name)) return "window";
  if (/Dense|Attention|LSTM|GRU|RNN|Embedding/.test(name)) return "dense";
  if (/Normalization/.test(name)) return "norm";
  if (/^(Concatenate|Add|Multiply|Average|Subtract|Maximum|Minimum|Dot|concatenate|add)$/.test(name)) return "join";
  if (/Flatten|Reshape|Permute|Padding|Cropping|UpSampling|RepeatVector/.test(name)) return "shape";
  if (/Activation|ReLU|Softmax|Dropout|Noise|ELU|Rescaling/.test(name)) return "each";
  return "other";
}

export function glyph(layer: Layer): string {
  const window = layer.window;
  if (window) return window.kernel.join("×");
  switch (family(layer)) {
    case "input": return "▸";
    case "pool": return "▾";
    case "dense": return "∑";
    case "norm": return "μσ";
    case "shape": return "▭";
    case "join": return layer.class.startsWith("C") || layer.class.startsWith("c") ? "‖" : "+";
    case "each": return layer.class.includes("Dropout") ? "∴" : "ƒ";
    default: return "·";
  }
}
