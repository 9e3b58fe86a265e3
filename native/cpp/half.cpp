#include "half.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "checks.h"
#include "tasks.h"

namespace hornbill {
namespace {

constexpr i64 kDeep = 32, kHigh = 32, kWide = 32, kVector = 16;  // of a tile: numbers summed over, pixels, filters
constexpr i64 kPacked = 192 << 10;   // numbers of packed input that a task works on at a time
constexpr i64 kChunk = 384 << 10, kFewChunks = 1 << 20;  // of both sides of a gradient by the kernel: small, large kernels
constexpr i64 kSums = 256 << 10;     // of a kernel, up to which each thread has sums of its own
constexpr double kSmallWork = 8e6;   // operations that are not worth a second thread

i64 round_up(i64 value, i64 step) { return ceil_div(value, step) * step; }

void clear(Half* to, i64 count) { std::memset(to, 0, static_cast<size_t>(count) * sizeof(Half)); }
void copy(Half* to, const Half* from, i64 count) { std::memcpy(to, from, static_cast<size_t>(count) * sizeof(Half)); }

Half* halves(float* room) { return reinterpret_cast<Half*>(room); }
i64 as_floats(i64 halves) { return halves / 2 + 1; }

// Rows of input with their padding, apart for each remainder of the strides ("phase"): there each kernel cell is at one
// distance from the pixel, and pixels follow each other from row to row. Those at the end of a row belong to no output.
struct Planes {
  i64 phases_h, phases_w, down, width;  // `down`: rows more than outputs
  Planes(const HalfProduct& p, i64 multiple) {
    const i64 reach_h = (p.kh - 1) * p.dh, reach_w = (p.kw - 1) * p.dw;
    phases_h = std::min(p.sh, reach_h + 1), phases_w = std::min(p.sw, reach_w + 1);
    down = reach_h / p.sh, width = round_up(p.out_w + reach_w / p.sw, multiple);
  }
  i64 phases() const { return phases_h * phases_w; }
  // Where the cell (i, j) under the first pixel is, if a phase has `size` pixels.
  i64 place(const HalfProduct& p, i64 i, i64 j, i64 size) const {
    const i64 y = i * p.dh, x = j * p.dw;
    return (y % p.sh * phases_w + x % p.sw) * size + y / p.sh * width + x / p.sw;
  }
  // Calls `run(pixel, first, last, from)` for each row of each phase under `rows` rows of output: from its `pixel` on,
  // the columns from `first` to `last` are those at `from`, the others zero.
  template <typename Run>
  void each(const HalfProduct& p, i64 image, i64 y, i64 rows, i64 size, const Run& run) const {
    for (i64 ry = 0; ry < phases_h; ++ry)
      for (i64 rx = 0; rx < phases_w; ++rx) {
        const i64 before = p.left - rx, reach = p.width + before;
        const i64 first = std::clamp<i64>(before > 0 ? ceil_div(before, p.sw) : 0, 0, width);
        const i64 last = std::clamp<i64>(reach > 0 ? ceil_div(reach, p.sw) : 0, first, width);
        for (i64 r = 0; r < rows + down; ++r) {
          const i64 row = (y + r) * p.sh + ry - p.top, at = (ry * phases_w + rx) * size + r * width;
          if (row < 0 || row >= p.height)
            run(at, 0, 0, p.in);
          else
            run(at, first, last, p.in + image * p.in_img + row * p.in_row + (first * p.sw - before) * p.in_px);
        }
      }
  }
};

// Whether a product reads each pixel for itself.
bool each_pixel(const HalfProduct& p) {
  return p.cells() == 1 && p.sh == 1 && p.sw == 1 && p.top == 0 && p.left == 0 && p.width == p.out_w &&
         p.height == p.out_h && p.in_row == p.width * p.in_px;
}

// The same with all pixels of all images in one column, where they follow each other.
HalfProduct in_one_image(HalfProduct p) {
  if (!each_pixel(p) || p.in_img != p.height * p.in_row || p.out_row != p.out_w * p.out_px ||
      p.out_img != p.out_h * p.out_row)
    return p;
  p.height = p.out_h = p.images * p.height * p.width, p.width = p.out_w = p.images = 1;
  p.in_row = p.in_px, p.out_row = p.out_px, p.in_img = p.height * p.in_px, p.out_img = p.height * p.out_px;
  return p;
}

std::vector<Column> half_columns(i64 channels) {
  std::vector<Column> columns;
  for (i64 at = 0; at < channels; at += kWide) {
    const i64 count = std::min(kWide, channels - at);
    columns.push_back({at, count > kVector ? 2 : 1, static_cast<int>(count)});
  }
  return columns;
}

// ---- forward

enum class Form {
  kFlat,    // 1x1 without strides and padding: the input where it is
  kPlanes,
  kGather,  // all cells under each window are copied: few channels
};

struct HalfPlan {
  HalfProduct p;
  Form form;
  Planes planes;
  i64 runs, length, steps, px, width;  // runs of `length` numbers in so many steps; distance of pixels, pixels of a row
  std::vector<Column> columns;
  Pieces chunks, column_runs;          // rows of output; columns
  i64 packed = 0;                      // where this plan's packed weights start

  HalfPlan(const HalfProduct& product, int threads)
      : p(in_one_image(product)), form(Form::kPlanes), planes(p, 1), columns(half_columns(p.co)), chunks(0, 1), column_runs(0, 1) {
    runs = p.cells(), length = p.ci, width = planes.width;
    if (p.cells() * p.ci == 0) {
      form = Form::kFlat, runs = steps = px = 0, width = p.out_w;
    } else if (each_pixel(p) && p.ci % kDeep == 0) {
      form = Form::kFlat, px = p.in_px, steps = p.ci / kDeep, width = p.out_w;
    } else {
      if (p.ci < kDeep) form = Form::kGather, runs = 1, length = p.cells() * p.ci, width = p.out_w;
      px = round_up(length, kDeep), steps = px / kDeep;
    }
    const i64 units = p.images * p.out_h, count = static_cast<i64>(columns.size());
    const i64 unit = std::max<i64>(1, width * px * (form == Form::kPlanes ? planes.phases() : 1));
    const i64 least = ceil_div(kHigh, width);
    i64 most = kPacked / unit;
    if (threads > 1) most = std::min(most, ceil_div(units, 4 * threads));
    chunks = Pieces(units, std::max(least, most));
    column_runs = Pieces(count, count);
    if (threads > 1 && chunks.count < 2 * threads)
      column_runs = Pieces(count, count / std::min(count, ceil_div(2 * threads, chunks.count)));
  }
  i64 depth() const { return runs * steps * kDeep; }
  i64 kernel_size() const { return depth() * round_up(p.co, kVector); }
  i64 tasks() const { return chunks.count * column_runs.count; }
};

// Packs the weights of one column: for each run and step and vector, 16 pairs of numbers of 16 filters.
void pack_kernel(const Kernels& k, const HalfPlan& plan, const Column& column, Half* to) {
  const HalfProduct& p = plan.p;
  for (i64 run = 0; run < plan.runs; ++run) {
    for (i64 step = 0; step < plan.steps; ++step) {
      const i64 first = step * kDeep, count = std::min(kDeep, plan.length - first);
      for (int v = 0; v < column.vectors; ++v, to += kDeep * kVector) {
        const i64 filter = column.first + v * kVector, filters = std::min(kVector, p.co - filter);
        const auto from = [&](i64 n) {
          const i64 cell = run + n / p.ci;
          return p.w + cell / p.kw * p.w_kh + cell % p.kw * p.w_kw + n % p.ci * p.w_ci + filter * p.w_co;
        };
        if (plan.form != Form::kGather && p.w_ci == 1 && p.w_co != 1) {
          k.tiles->swap_pairs(from(first), p.w_co, to, filters, count);
          continue;
        }
        clear(to, kDeep * kVector);
        if (plan.form != Form::kGather && p.w_co == 1) {
          k.tiles->pairs(from(first), p.w_ci, to, count, filters);
          continue;
        }
        for (i64 n = 0; n < count; ++n) {
          const Half* weights = from(first + n);
          for (i64 f = 0; f < filters; ++f) to[n / 2 * 32 + 2 * f + n % 2] = weights[f * p.w_co];
        }
      }
    }
  }
}

// Copies all cells under the windows of one row of output.
void gather_row(const HalfPlan& plan, i64 image, i64 y, Half* to) {
  const HalfProduct& p = plan.p;
  for (i64 x = 0; x < p.out_w; ++x, to += plan.px) {
    Half* at = to;
    const i64 left = x * p.sw - p.left;
    for (i64 i = 0; i < p.kh; ++i) {
      const i64 row = y * p.sh + i * p.dh - p.top;
      const bool inside = row >= 0 && row < p.height;
      const Half* from = p.in + image * p.in_img + (inside ? row * p.in_row : 0);
      const bool whole = inside && p.dw == 1 && p.in_px == p.ci && left >= 0 && left + p.kw <= p.width;
      if (whole) {
        from += left * p.in_px;
        for (i64 n = 0; n < p.kw * p.ci; ++n) at[n] = from[n];
        at += p.kw * p.ci;
        continue;
      }
      for (i64 j = 0; j < p.kw; ++j, at += p.ci) {
        const i64 column = left + j * p.dw;
        const bool here = inside && column >= 0 && column < p.width;
        for (i64 n = 0; n < p.ci; ++n) at[n] = here ? from[column * p.in_px + n] : Half{0};
      }
    }
    clear(at, to + plan.px - at);
  }
}

// Brings the input under `rows` rows of output into the order of the tiles; returns where it is.
const Half* pack_rows(const HalfPlan& plan, i64 image, i64 y, i64 rows, i64 size, Half* to) {
  const HalfProduct& p = plan.p;
  if (plan.form == Form::kFlat) return p.in + image * p.in_img + y * p.in_row;
  if (plan.form == Form::kGather) {
    for (i64 r = 0; r < rows; ++r) gather_row(plan, image, y + r, to + r * p.out_w * plan.px);
    return to;
  }
  plan.planes.each(p, image, y, rows, size, [&](i64 pixel, i64 first, i64 last, const Half* from) {
    Half* row = to + pixel * plan.px;
    clear(row, first * plan.px);
    if (p.sw == 1 && p.in_px == plan.px) {
      copy(row + first * plan.px, from, (last - first) * plan.px);
    } else {
      for (i64 x = first; x < last; ++x, from += p.sw * p.in_px) {
        copy(row + x * plan.px, from, p.ci);
        clear(row + x * plan.px + p.ci, plan.px - p.ci);
      }
    }
    clear(row + last * plan.px, (plan.planes.width - last) * plan.px);
  });
  return to;
}

// Rows of output of one image.
struct HalfSegment {
  const Half* a;
  Half* out;
  i64 rows, size;  // pixels of a phase
};

void multiply_segment(const Kernels& k, const HalfPlan& plan, const HalfSegment& segment, const Column& column,
                      const Half* weights, std::vector<ptrdiff_t>& runs) {
  const HalfProduct& p = plan.p;
  alignas(64) float sums[kHigh * kWide];
  float bias[kWide] = {};
  if (p.bias) k.widen(p.bias + column.first, bias, column.count);
  runs.assign(static_cast<size_t>(plan.runs), 0);
  if (plan.form == Form::kPlanes)
    for (i64 cell = 0; cell < plan.runs; ++cell)
      runs[static_cast<size_t>(cell)] = plan.planes.place(p, cell / p.kw, cell % p.kw, segment.size) * plan.px;
  const i64 total = (segment.rows - 1) * plan.width + p.out_w;
  for (i64 q = 0; q < total; q += kHigh) {
    const i64 count = std::min(kHigh, total - q);
    k.tiles->forward({segment.a + q * plan.px, plan.px, runs.data(), plan.runs, plan.steps, weights, sums,
                      static_cast<int>(count), column.vectors});
    for (i64 at = q; at < q + count;) {
      const i64 y = at / plan.width, x = at % plan.width;
      const i64 some = std::min(p.out_w - x, q + count - at);
      if (some <= 0) {
        at += plan.width - x;
        continue;
      }
      k.tiles->finish({sums + (at - q) * kWide, segment.out + y * p.out_row + x * p.out_px + column.first, p.out_px, some,
                       column.count, p.bias ? bias : nullptr, p.activation});
      at += some;
    }
  }
}

void run_half_task(const Kernels& k, const HalfPlan& plan, const Half* packed, i64 chunk, i64 run) {
  const HalfProduct& p = plan.p;
  const i64 begin = plan.chunks.start(chunk), end = plan.chunks.start(chunk + 1);
  std::vector<HalfSegment> segments;
  std::vector<ptrdiff_t> runs;
  i64 room = 0;
  for (i64 u = begin; u < end;) {
    const i64 y = u % p.out_h, rows = std::min(p.out_h - y, end - u);
    const bool planes = plan.form == Form::kPlanes;
    const i64 size = planes ? (rows + plan.planes.down) * plan.planes.width : rows * p.out_w;
    segments.push_back({nullptr, p.out + u / p.out_h * p.out_img + y * p.out_row, rows, size});
    if (plan.form != Form::kFlat) room += size * plan.px * (planes ? plan.planes.phases() : 1);
    u += rows;
  }
  Half* to = halves(memory().input.room(as_floats(room)));
  i64 u = begin;
  for (HalfSegment& segment : segments) {
    segment.a = pack_rows(plan, u / p.out_h, u % p.out_h, segment.rows, segment.size, to);
    to += segment.size * plan.px * (plan.form == Form::kPlanes ? plan.planes.phases() : 1);
    u += segment.rows;
  }
  for (i64 j = plan.column_runs.start(run); j < plan.column_runs.start(run + 1); ++j) {
    const Column& column = plan.columns[static_cast<size_t>(j)];
    for (const HalfSegment& segment : segments)
      multiply_segment(k, plan, segment, column, packed + plan.packed + column.first * plan.depth(), runs);
  }
  k.tiles->release();
}

// ---- gradient by the kernel

// Sums over some rows of output, for some channels of the input. Pixels at the ends of rows count with outputs of zero: if
// an input is not finite, neither are all numbers of its channel, with or without them.
struct HalfSums {
  const Kernels& k;
  HalfProduct p;
  bool flat;  // one pixel in each row
  Planes planes;
  i64 filters;  // of a whole number of vectors
  explicit HalfSums(const Kernels& k, const HalfProduct& product)
      : k(k), p(in_one_image(product)), flat(each_pixel(p) && p.width == 1 && p.images == 1), planes(p, flat ? 1 : 2), filters(round_up(p.co, kVector)) {}

  i64 size() const { return p.cells() * p.ci * filters; }

  // Adds to `sums`, (cells, all channels, filters), or fills them if not `add`.
  void run(i64 begin, i64 end, i64 first, i64 last, bool add, float* sums) const {
    i64 size = 0;  // of a phase: pixels of all rows, one image after the other
    for (i64 u = begin; u < end;) {
      const i64 rows = std::min(p.out_h - u % p.out_h, end - u);
      size += (rows + planes.down) * planes.width, u += rows;
    }
    // Pixels are read beyond the end of the last phase: by the cells that lie furthest, and up to a whole step. An odd
    // number of cache lines keeps channels from falling onto the same ones.
    const i64 span = round_up(size, kDeep), furthest = planes.down * planes.width + planes.width - p.out_w;
    const i64 row = round_up((planes.phases() - 1) * size + furthest + span, 64) + 32, channels = last - first;
    Half* inputs = halves(memory().input.room(as_floats(row * channels)));
    Half* outputs = halves(memory().output.room(as_floats(span * filters)));
    clear(inputs, row * channels);
    clear(outputs, span * filters);
    if (flat) {
      k.tiles->swap(p.in + begin * p.in_px + first, p.in_px, inputs, row, end - begin, channels);
      pack_outputs(p.out + begin * p.out_px, end - begin, span, outputs);
    } else {
      pack(begin, end, first, channels, size, row, span, inputs, outputs);
    }
    for (i64 c = first; c < last; c += kHigh)
      for (i64 f = 0; f < p.co; f += kWide)
        for (i64 cell = 0; cell < p.cells(); ++cell)
          k.tiles->weight_grad({inputs + (c - first) * row + planes.place(p, cell / p.kw, cell % p.kw, size), row,
                                outputs + f * span, span * kVector, span / kDeep,
                                sums + (cell * p.ci + c) * filters + f, filters,
                                static_cast<int>(std::min(kHigh, last - c)), p.co - f > kVector ? 2 : 1, add});
  }

 private:
  void pack(i64 begin, i64 end, i64 first, i64 channels, i64 size, i64 row, i64 span, Half* inputs,
            Half* outputs) const {
    i64 base = 0;
    for (i64 u = begin; u < end;) {
      const i64 n = u / p.out_h, y = u % p.out_h, rows = std::min(p.out_h - y, end - u);
      planes.each(p, n, y, rows, size, [&](i64 pixel, i64 x0, i64 x1, const Half* from) {
        if (x1 > x0) k.tiles->swap(from + first, p.sw * p.in_px, inputs + base + pixel + x0, row, x1 - x0, channels);
      });
      for (i64 r = 0; r < rows; ++r)
        pack_outputs(p.out + n * p.out_img + (y + r) * p.out_row, p.out_w, span,
                     outputs + (base + r * planes.width) * kVector);
      base += (rows + planes.down) * planes.width, u += rows;
    }
  }
  void pack_outputs(const Half* from, i64 pixels, i64 span, Half* to) const {
    for (i64 f = 0; f < p.co; f += kVector)
      k.tiles->pairs(from + f, p.out_px, to + f * span, pixels, std::min(kVector, p.co - f));
  }
};

}  // namespace

void run_half_products(const Kernels& k, Threads threads, const std::vector<HalfProduct>& products) {
  double work = 0;
  for (const HalfProduct& p : products) work += p.work();
  if (work < kSmallWork) threads.count = 1;
  std::vector<HalfPlan> plans;
  std::vector<std::pair<const HalfPlan*, const Column*>> packing;
  i64 size = 0, tasks = 0;
  plans.reserve(products.size());
  for (const HalfProduct& p : products) {
    if (p.images * p.out_h * p.out_w * p.co == 0) continue;
    plans.emplace_back(p, threads.count);
    HalfPlan& plan = plans.back();
    plan.packed = size;
    size += plan.kernel_size(), tasks += plan.tasks();
    for (const Column& column : plan.columns) packing.emplace_back(&plan, &column);
  }
  CallMemory whole;
  Half* packed = halves(whole.room(as_floats(size)));
  Threads packers = threads;
  if (size < (32 << 10)) packers.count = 1;
  parallel(packers, static_cast<i64>(packing.size()), [&](i64 i) {
    const auto& [plan, column] = packing[static_cast<size_t>(i)];
    pack_kernel(k, *plan, *column, packed + plan->packed + column->first * plan->depth());
  });
  parallel(threads, tasks, [&](i64 i) {
    for (const HalfPlan& plan : plans) {
      if (i < plan.tasks())
        return run_half_task(k, plan, packed, i / plan.column_runs.count, i % plan.column_runs.count);
      i -= plan.tasks();
    }
  });
}

void run_half_weights(const Kernels& k, Threads threads, const HalfProduct& given) {
  if (given.work() < kSmallWork) threads.count = 1;
  const HalfSums all(k, given);
  const HalfProduct& p = all.p;
  const i64 units = p.images * p.out_h, blocks = ceil_div(p.ci, kHigh);
  // Small kernels are summed by each thread over its own rows, and added in order at the end; of large ones each thread
  // has its own channels.
  const i64 groups = all.size() <= kSums ? 1 : std::min<i64>(blocks, threads.count);
  const i64 parts = std::min<i64>(units, ceil_div(threads.count, groups));
  CallMemory whole;
  float* sums = whole.room(parts * all.size());
  parallel(threads, groups * parts, [&](i64 i) {
    const i64 group = i / parts, part = i % parts;
    const i64 begin = units * part / parts, end = units * (part + 1) / parts;
    const i64 first = blocks * group / groups * kHigh, last = std::min(p.ci, blocks * (group + 1) / groups * kHigh);
    const i64 unit = all.planes.width * (all.planes.phases() * (last - first) + all.filters);
    const i64 budget = groups > 1 || all.size() > kSums ? kFewChunks : kChunk;
    const Pieces chunks(end - begin, std::max<i64>(1, budget / unit - all.planes.down));
    for (i64 chunk = 0; chunk < chunks.count; ++chunk)
      all.run(begin + chunks.start(chunk), begin + chunks.start(chunk + 1), first, last, chunk > 0,
              sums + part * all.size());
    k.tiles->release();
  });
  const i64 rows = p.cells() * p.ci;
  if (all.size() < (64 << 10)) threads.count = 1;
  const Pieces ranges(rows, std::max<i64>(1, (16 << 10) / all.filters));
  parallel(threads, ranges.count, [&](i64 i) {
    for (i64 r = ranges.start(i); r < ranges.start(i + 1); ++r) {
      float* total = sums + r * all.filters;
      for (i64 part = 1; part < parts; ++part)
        for (i64 f = 0; f < p.co; ++f) total[f] += sums[part * all.size() + r * all.filters + f];
      const i64 cell = r / p.ci;
      k.narrow(total, p.w + cell / p.kw * p.w_kh + cell % p.kw * p.w_kw + r % p.ci * p.w_ci, p.co);
    }
  });
}

namespace {

// An array in float32, for kernels without tiles.
class Widened {
 public:
  Widened(const HalfArray& half) : half_(half) {
    for (i64 size : half.size) count_ *= size;
    array.data = memory_.room(count_ + 1);
    std::copy(half.size, half.size + 4, array.size);
  }
  void read(const Kernels& k, const Threads& threads) {
    pieces(threads, [&](i64 first, i64 count) { k.widen(half_.data + first, array.data + first, count); });
  }
  void write(const Kernels& k, const Threads& threads) {
    pieces(threads, [&](i64 first, i64 count) { k.narrow(array.data + first, half_.data + first, count); });
  }

  Array array;

 private:
  template <typename Run>
  void pieces(Threads threads, const Run& run) {
    if (count_ < (64 << 10)) threads.count = 1;
    const Pieces all(count_, 32 << 10);
    parallel(threads, all.count, [&](i64 i) { run(all.start(i), all.start(i + 1) - all.start(i)); });
  }

  HalfArray half_;
  i64 count_ = 1;
  CallMemory memory_;
};

}  // namespace

std::string conv(const Kernels& k, const Threads& threads, const Window& v, HalfArray in, HalfArray kernel,
                 const Half* bias, int activation, HalfArray out) {
  std::string wrong = check(v, in, kernel, out);
  if (wrong.empty() && activation != kNone && activation != kRelu) wrong = "unknown activation";
  if (!wrong.empty()) return wrong;
  if (!k.tiles) {
    Widened x(in), w(kernel), y(out);
    std::vector<float> b(static_cast<size_t>(bias ? kernel.size[3] : 0));
    x.read(k, threads), w.read(k, threads);
    if (bias) k.widen(bias, b.data(), kernel.size[3]);
    wrong = conv(k, threads, v, x.array, w.array, bias ? b.data() : nullptr, activation, y.array);
    y.write(k, threads);
    return wrong;
  }
  std::vector<HalfProduct> products;
  for (i64 group = 0; group < v.groups; ++group) {
    products.push_back(product(v, in, kernel, out, group));
    if (bias) products.back().bias = bias + group * products.back().co;
    products.back().activation = activation;
  }
  run_half_products(k, threads, products);
  return "";
}

std::string conv_input_grad(const Kernels& k, const Threads& threads, const Window& v, HalfArray out, HalfArray kernel,
                            HalfArray in) {
  std::string wrong = check_input_grad(v, in, kernel, out);
  if (!wrong.empty()) return wrong;
  if (!k.tiles) {
    Widened x(in), w(kernel), y(out);
    y.read(k, threads), w.read(k, threads);
    wrong = conv_input_grad(k, threads, v, y.array, w.array, x.array);
    x.write(k, threads);
    return wrong;
  }
  run_half_products(k, threads, input_products(v, in, kernel, out));
  return "";
}

std::string conv_weight_grad(const Kernels& k, const Threads& threads, const Window& v, HalfArray in, HalfArray out,
                             HalfArray kernel) {
  std::string wrong = check(v, in, kernel, out);
  if (!wrong.empty()) return wrong;
  const i64 size = kernel.size[0] * kernel.size[1] * kernel.size[2] * kernel.size[3];
  if (in.size[0] * out.size[1] * out.size[2] == 0) {
    if (size > 0) clear(kernel.data, size);
    return "";
  }
  if (size == 0) return "";
  if (!k.tiles) {
    Widened x(in), w(kernel), y(out);
    x.read(k, threads), y.read(k, threads);
    wrong = conv_weight_grad(k, threads, v, x.array, y.array, w.array);
    w.write(k, threads);
    return wrong;
  }
  for (i64 group = 0; group < v.groups; ++group)
    run_half_weights(k, threads, product(v, in, kernel, out, group));
  return "";
}

}  // namespace hornbill
