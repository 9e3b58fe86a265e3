// The weights of a convolution as small pictures, one per filter, for one input channel at a time.

import { short, type App } from "../core/app";
import { colourOf, css, topOf } from "../core/colour";
import { stridesOf } from "../core/data";
import { h, sharp } from "../core/dom";
import { twin } from "../core/grid";
import type { Layer } from "../core/types";

const MOST = 64;

export function kernels(app: App, layer: Layer): HTMLElement {
  const box = h("div", { class: "kernels" });
  const name = layer.parameters.weights.find((w) => w.name === "kernel" || w.name === "depthwise_kernel");
  const rank = layer.window?.rank ?? 0;
  if (!name || rank < 1 || rank > 2 || name.shape.slice(0, rank).every((n) => n === 1)) return box;
  void app.data.weights(layer.index).then((weights) => {
    const kernel = weights?.[name.name];
    if (!kernel) { box.append(h("p", { class: "note" }, app.t("left.weights", { size: app.bytes(layer.bytes) }))); return; }
    const transposed = layer.window!.kind === "transposed";
    const [a, b] = [kernel.shape[rank]!, kernel.shape[rank + 1]!];
    const [channels, filters] = transposed ? [b, a] : [a, b];
    const [rows, columns] = rank === 2 ? [kernel.shape[0]!, kernel.shape[1]!] : [1, kernel.shape[0]!];
    const steps = stridesOf(kernel.shape);
    const top = topOf(kernel.data);
    const read = (r: number, c: number, channel: number, filter: number): number => {
      const at = (rank === 2 ? r * steps[0]! + c * steps[1]! : c * steps[0]!) + (transposed ? filter * steps[rank]! + channel : channel * steps[rank]! + filter);
      return kernel.data[at]!;
    };
    const tiles = h("div", { class: "kernel-tiles" });
    const select = h("select", { onchange: () => draw(Number(select.value)) }, ...Array.from({ length: Math.min(channels, 256) }, (_, i) => h("option", { value: i }, String(i))));
    function draw(channel: number): void {
      tiles.replaceChildren(...Array.from({ length: Math.min(filters, MOST) }, (_, filter) => {
        const side = Math.max(6, Math.min(14, Math.floor(48 / Math.max(rows, columns))));
        const { canvas, pen } = sharp(columns * side, rows * side);
        for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) {
          pen.fillStyle = css(colourOf(read(r, c, channel, filter), top));
          pen.fillRect(c * side, r * side, side, side);
        }
        return h("figure", {}, canvas, h("figcaption", {}, String(filter)));
      }));
    }
    draw(0);
    box.append(h("div", { class: "row" }, h("h4", {}, app.t("kernels.title", { count: Math.min(filters, MOST), all: filters })),
      channels > 1 ? h("label", {}, app.t("kernels.channel"), " ", select) : null, h("span", { class: "muted" }, app.t("scale", { low: short(-top), high: short(top) }))), tiles,
    twin(app.t("kernels.table"), "", () => ({
      head: [app.t("kernels.filter"), ...Array.from({ length: rows * columns }, (_, i) => `${Math.floor(i / columns)}, ${i % columns}`)],
      rows: Array.from({ length: Math.min(filters, MOST) }, (_, f) => [f, ...Array.from({ length: rows * columns }, (_, i) => short(read(Math.floor(i / columns), i % columns, Number(select.value || 0), f)))]),
    })));
  });
  return box;
}
