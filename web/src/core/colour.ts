// Colours of numbers: zero is the paper, positive and negative numbers go two ways that colour-blind readers can tell.

export interface Palette { dark: boolean; zero: RGB; positive: RGB; negative: RGB }
export type RGB = [number, number, number];

const LIGHT: Palette = { dark: false, zero: [250, 249, 246], positive: [13, 71, 140], negative: [176, 74, 10] };
const DARK: Palette = { dark: true, zero: [24, 28, 36], positive: [140, 196, 255], negative: [255, 178, 102] };

let dark = false;
export const setDark = (value: boolean): void => void (dark = value);
export const palette = (): Palette => (dark ? DARK : LIGHT);

/** The colour of a number on a scale from `-top` over 0 to `top`. */
export function colourOf(value: number, top: number, from: Palette = palette()): RGB {
  const share = top > 0 ? Math.min(Math.abs(value) / top, 1) : 0;
  const end = value >= 0 ? from.positive : from.negative;
  const bent = share ** 0.8;
  return [0, 1, 2].map((i) => Math.round(from.zero[i]! + (end[i]! - from.zero[i]!) * bent)) as RGB;
}

export const css = ([r, g, b]: RGB): string => `rgb(${r} ${g} ${b})`;

/** Black or white, whichever reads better on a colour: at least 4.58 to 1, which holds for pure black and white only. */
export function inkOn([r, g, b]: RGB): string {
  const [lr, lg, lb] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4)) as RGB;
  return 0.2126 * lr + 0.7152 * lg + 0.0722 * lb > 0.179 ? "#000000" : "#ffffff";
}

/** The colour of ink: pictures of one channel are drawn as grey, from paper to ink. */
export function inkOf(value: number, low: number, high: number): RGB {
  const share = Math.min(Math.max((value - low) / (high - low || 1), 0), 1);
  const [paper, ink]: [RGB, RGB] = dark ? [[24, 28, 36], [236, 238, 242]] : [[252, 251, 248], [24, 30, 42]];
  return [0, 1, 2].map((i) => Math.round(paper[i]! + (ink[i]! - paper[i]!) * share)) as RGB;
}

/** Largest absolute value. */
export function topOf(values: ArrayLike<number>): number {
  let top = 0;
  for (let i = 0; i < values.length; i++) {
    const value = Math.abs(values[i]!);
    if (value > top && value < Infinity) top = value;
  }
  return top;
}

/** A token of the style sheet, such as `--accent`. */
export const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
