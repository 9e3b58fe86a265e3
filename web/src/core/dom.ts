// Elements without markup strings: what comes from a model is always text, never HTML.

export type Child = Node | string | number | null | undefined | false;
type Handler = (event: Event) => void;
export type Attributes = Record<string, string | number | boolean | null | undefined | Handler | Record<string, string>>;

function fill(element: Element & ElementCSSInlineStyle, attributes: Attributes, children: Child[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (typeof value === "object") for (const [key, item] of Object.entries(value)) element.style.setProperty(key, item);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** Makes an HTML element; attributes named `onclick` and so on take functions, `style` takes a table. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  fill(element, attributes, children);
  return element;
}

/** Makes an SVG element. */
export function s<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  fill(element, attributes, children);
  return element;
}

/** A canvas that is sharp on the screen, with its drawing context in CSS pixels. */
export function sharp(width: number, height: number): { canvas: HTMLCanvasElement; pen: CanvasRenderingContext2D } {
  const ratio = Math.min(Math.max(window.devicePixelRatio || 1, 1), 2);
  const canvas = h("canvas", { width: Math.max(1, Math.round(width * ratio)), height: Math.max(1, Math.round(height * ratio)), "aria-hidden": "true" });
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d")!;
  pen.scale(ratio, ratio);
  return { canvas, pen };
}

let liveRegion: HTMLElement | null = null;
let saying = 0;

/** Says something to a screen reader. */
export function say(text: string): void {
  liveRegion ??= document.getElementById("live");
  clearTimeout(saying);
  saying = window.setTimeout(() => {
    if (liveRegion) liveRegion.textContent = text;
  }, 80);
}

/** Fills a part when its numbers are there; a part that fails says so in its place. */
export function fillLater(box: HTMLElement, work: Promise<unknown>, words: (error: string) => string): void {
  work.catch((error: unknown) => box.append(h("p", { class: "notice", role: "alert" }, words(error instanceof Error ? error.message : String(error)))));
}

/** Whether the reader asked for less motion. */
export const calm = (): boolean => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
