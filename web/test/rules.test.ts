import { expect, test } from "vitest";
import { countParameters, interval, taps, work, type AxisRule, type Padding, type Taps } from "../src/kernel/rules";

const rule = (patch: Partial<AxisRule>): AxisRule => ({ size: 28, kernel: 3, stride: 1, dilation: 1, padding: "valid", transposed: false, ...patch });
const told = (patch: Partial<AxisRule>): string => work(rule(patch)).tokens.map((t) => t.text).join("");

// Sizes that Keras 3 gives on its JAX backend (and that its documentation states).
test.each([
  [{}, 26], [{ stride: 2 }, 13], [{ padding: "same" as Padding }, 28], [{ padding: "same" as Padding, stride: 3 }, 10], [{ dilation: 2 }, 24],
  [{ size: 1287, padding: "causal" as Padding }, 1287], [{ size: 10, kernel: 4, stride: 3, padding: "causal" as Padding, dilation: 2 }, 4],
  [{ size: 2, kernel: 3 }, 0], [{ size: 96, kernel: 2, stride: 2 }, 48],
  [{ size: 5, transposed: true, stride: 2, kernel: 2 }, 10], [{ size: 5, transposed: true, stride: 2, kernel: 3 }, 11], [{ size: 5, transposed: true, stride: 3, kernel: 2 }, 15],
  [{ size: 5, transposed: true, stride: 2, kernel: 3, padding: "same" as Padding }, 10], [{ size: 4, transposed: true, stride: 2, kernel: 3, padding: "same" as Padding, outputPadding: 1 }, 8],
])("%o gives %i", (patch, size) => expect(work(rule(patch)).size).toBe(size));

test("the formula is written with its numbers", () => {
  expect(told({})).toBe("⌊(28 − 3) / 1⌋ + 1 = 26");
  expect(told({ padding: "same", stride: 2 })).toBe("⌈28 / 2⌉ = 14");
  expect(told({ padding: "causal", dilation: 2 })).toBe("⌊(28 + 4 − (2 × (3 − 1) + 1)) / 1⌋ + 1 = 28");
  expect(told({ transposed: true, stride: 2 })).toBe("28 × 2 + max(3 − 2, 0) = 57");
});

test("each number of the formula says what set it", () => {
  expect(work(rule({ stride: 2 })).tokens.filter((t) => t.from).map((t) => `${t.from}=${t.text}`)).toEqual(["size=28", "kernel=3", "stride=2", "result=13"]);
});

/** The definition, without any shortcut: slide over the padded line and count. */
function slid(r: AxisRule): number {
  const found = work(r);
  const line = r.size + found.before + found.after;
  let count = 0;
  for (let start = 0; start + found.reach <= line; start += r.stride) count++;
  return count;
}

test("the size is the number of places that the kernel can stand at", () => {
  for (const padding of ["valid", "same", "causal"] as const) for (let size = 1; size < 14; size++) for (let kernel = 1; kernel < 6; kernel++) for (let stride = 1; stride < 5; stride++) for (let dilation = 1; dilation < 4; dilation++) {
    const r = rule({ size, kernel, stride, dilation, padding });
    expect([r, work(r).size]).toEqual([r, slid(r)]);
  }
});

test("causal outputs see nothing that comes after them", () => {
  for (const dilation of [1, 2, 3]) {
    const r = rule({ size: 9, kernel: 3, dilation, padding: "causal" });
    const axis: Taps = { kernel: 3, stride: 1, dilation, before: work(r).before, size: 9, transposed: false };
    for (let out = 0; out < 9; out++) expect(Math.max(...taps(axis, out).map((t) => t.input))).toBe(out);
  }
});

test("a transposed window reads, for each output, the inputs that write to it", () => {
  for (let size = 1; size < 6; size++) for (let kernel = 1; kernel < 5; kernel++) for (let stride = 1; stride < 4; stride++) for (let dilation = 1; dilation < 3; dilation++) for (const padding of ["valid", "same"] as const) {
    const r = rule({ size, kernel, stride, dilation, padding, transposed: true });
    const found = work(r);
    const axis: Taps = { kernel, stride, dilation, before: found.before, size, transposed: true };
    const writes = new Map<number, string[]>();
    for (let i = 0; i < size; i++) for (let k = 0; k < kernel; k++) {
      const out = i * stride + k * dilation - found.before;
      writes.set(out, [...(writes.get(out) ?? []), `${i}:${k}`]);
    }
    for (let out = 0; out < found.size; out++) {
      const mine = taps(axis, out);
      expect(mine.map((t) => `${t.input}:${t.kernel}`).sort()).toEqual((writes.get(out) ?? []).sort());
      const [low, high] = interval(axis, out, out);
      for (const t of mine) expect(t.input >= low && t.input <= high).toBe(true);
    }
  }
});

test("parameters are counted as the seeds count them", () => {
  expect(countParameters([3, 3], 1, 32, 1, false, true)).toBe(320);
  expect(countParameters([3, 3], 32, 64, 1, false, true)).toBe(18_496);
  expect(countParameters([3], 69, 64, 1, false, true)).toBe(13_312);
  expect(countParameters([3, 3], 8, 12, 4, false, true)).toBe(3 * 3 * 2 * 12 + 12);
  expect(countParameters([3, 3], 8, 2, 1, true, true)).toBe(3 * 3 * 8 * 2 + 16);
});
