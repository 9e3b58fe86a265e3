#include "driver.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "checks.h"
#include "product.h"
#include "tasks.h"
#include "winograd.h"

namespace hornbill {
namespace {

constexpr i64 kInputFloats = 64 << 10;     // of packed input that a task works on at a time
constexpr i64 kLargeInput = 256 << 10;     // the same where the weights are too large to be packed for all tasks
constexpr i64 kKernelFloats = 192 << 10;   // up to which they are packed for all tasks
constexpr double kSmallWork = 2e6;         // operations that are not worth a second thread

// Splits `size` into equal pieces of at most `most`; piece `i` starts at `start(i)`.
struct Pieces {
  i64 size, count;
  Pieces(i64 size, i64 most) : size(size), count(std::max<i64>(1, ceil_div(size, most))) {}
  i64 start(i64 i) const { return size * i / count; }
};

// ---- forward

struct Plan {
  Product p;
  Layout layout;
  bool ahead;                  // all weights packed before the tasks start
  Pieces chunks, column_runs;  // units; columns
  i64 packed = 0;              // where this plan's packed weights start

  static i64 most_units(const Product& p, const Layout& l, bool ahead, int threads) {
    const i64 limit = (ahead ? kInputFloats : kLargeInput) / std::max<i64>(1, l.unit_floats);
    const i64 fair = ahead ? ceil_div(l.units, 4 * threads) : l.units;
    const i64 least = std::max<i64>(1, 28 / std::max<i64>(1, l.unit_pixels));
    (void)p;
    return std::max(least, std::min(limit, threads > 1 ? fair : limit));
  }
  Plan(const Product& product, const Kernels& k, int threads)
      : p(product),
        layout(product, k.width),
        ahead(p.cells() * p.ci * ceil_div(p.co, k.width) * k.width <= kKernelFloats),
        chunks(layout.units, most_units(p, layout, ahead, threads)),
        column_runs(static_cast<i64>(layout.columns.size()), layout.columns.size()) {
    const i64 wanted = 2 * threads, many = static_cast<i64>(layout.columns.size());
    if (threads > 1 && chunks.count < wanted) column_runs.count = std::min(many, ceil_div(wanted, chunks.count));
  }
  i64 tasks() const { return chunks.count * column_runs.count; }
  i64 kernel_floats(const Kernels& k) const {
    i64 wide = 0;
    for (const Column& column : layout.columns) wide += column.vectors * k.width;
    return wide * p.cells() * p.ci;
  }
};

void tile_rows(const Kernels& k, const Plan& plan, const Layout& l, const Column& column, const Segment& segment,
               const float* weights, bool add, bool last) {
  const Product& p = plan.p;
  Forward t;
  t.a_px = l.px, t.s1 = l.s1, t.s2 = l.s2, t.n1 = l.n1, t.n2 = l.n2, t.len = l.len;
  t.b = weights, t.c_px = p.out_px, t.columns = column.count, t.add = add;
  float bias[kMaxVectors * 16] = {};
  t.bias = nullptr;
  if (last && p.bias) {
    std::memcpy(bias, p.bias + column.first, static_cast<size_t>(column.count) * sizeof(float));
    t.bias = bias;
  }
  t.activation = last ? p.activation : kNone;
  const Pieces tiles(segment.width, k.rows[column.vectors]);
  for (i64 y = 0; y < segment.rows; ++y) {
    for (i64 i = 0; i < tiles.count; ++i) {
      const i64 x = tiles.start(i);
      t.a = segment.a + y * segment.a_row + x * l.px;
      t.c = segment.out + y * p.out_row + x * p.out_px + column.first;
      k.forward[column.vectors][tiles.start(i + 1) - x](t);
    }
  }
}

void run_task(const Kernels& k, const Plan& plan, const float* packed, i64 chunk, i64 run) {
  Layout l = plan.layout;
  const Product& p = plan.p;
  const i64 begin = plan.chunks.start(chunk), end = plan.chunks.start(chunk + 1);
  const i64 from = plan.column_runs.start(run), to = plan.column_runs.start(run + 1);
  float* room = memory().input.room(l.room(p, end - begin));
  std::vector<Segment> segments;
  for (i64 block = 0; block < l.channel_blocks; ++block) {
    const i64 first = l.first_channel(block), channels = l.channels(p, block);
    l.open(p, block, begin, end, room, segments);
    for (i64 j = from; j < to; ++j) {
      const Column& column = l.columns[static_cast<size_t>(j)];
      const i64 wide = column.vectors * k.width;
      const float* weights;
      if (plan.ahead) {
        weights = packed + plan.packed + p.cells() * (column.first * p.ci + first * wide);
      } else {
        float* mine = memory().weights.room(p.cells() * channels * wide);
        pack_weights(k, p, column, first, channels, mine);
        weights = mine;
      }
      for (const Segment& segment : segments)
        tile_rows(k, plan, l, column, segment, weights, block > 0, block + 1 == l.channel_blocks);
    }
  }
}

void run_products(const Kernels& k, Threads threads, std::vector<Product> products) {
  double work = 0;
  for (const Product& p : products) work += p.work();
  if (work < kSmallWork) threads.count = 1;
  const auto direct = std::stable_partition(products.begin(), products.end(), winograd_serves);
  for (auto p = products.begin(); p != direct; ++p) run_winograd(k, threads, *p);
  products.erase(products.begin(), direct);
  std::vector<Plan> plans;
  i64 floats = 0, tasks = 0;
  for (const Product& p : products) {
    if (p.images * p.out_h * p.out_w * p.co == 0) continue;
    plans.emplace_back(p, k, threads.count);
    Plan& plan = plans.back();
    plan.packed = floats;
    if (plan.ahead) floats += plan.kernel_floats(k);
    tasks += plan.tasks();
  }
  CallMemory whole;
  float* packed = whole.room(floats);
  std::vector<std::pair<const Plan*, const Column*>> packing;
  for (const Plan& plan : plans)
    if (plan.ahead)
      for (const Column& column : plan.layout.columns) packing.emplace_back(&plan, &column);
  Threads packers = threads;
  if (floats < (16 << 10)) packers.count = 1;
  parallel(packers, static_cast<i64>(packing.size()), [&](i64 i) {
    const Plan& plan = *packing[static_cast<size_t>(i)].first;
    const Column& column = *packing[static_cast<size_t>(i)].second;
    const i64 wide = column.vectors * k.width;
    for (i64 block = 0; block < plan.layout.channel_blocks; ++block) {
      const i64 first = plan.layout.first_channel(block);
      pack_weights(k, plan.p, column, first, plan.layout.channels(plan.p, block),
                   packed + plan.packed + plan.p.cells() * (column.first * plan.p.ci + first * wide));
    }
  });
  parallel(threads, tasks, [&](i64 i) {
    for (const Plan& plan : plans) {
      if (i < plan.tasks()) return run_task(k, plan, packed, i / plan.column_runs.count, i % plan.column_runs.count);
      i -= plan.tasks();
    }
  });
}

// ---- gradient by the weights

// Adds the gradient of one block of channels and one column, over some units, to `grad`, which is laid out like p.w.
void weight_task(const Kernels& k, const Product& p, Layout l, i64 block, const Column& column, i64 begin, i64 end,
                 float* grad) {
  const i64 wide = column.vectors * k.width, first = l.first_channel(block), channels = l.channels(p, block);
  const bool in_place = p.out_px == wide && column.count == wide;
  const i64 most = std::max<i64>(1, kInputFloats / std::max<i64>(1, l.unit_floats + l.unit_pixels * wide));
  const Pieces chunks(end - begin, most);
  std::vector<Segment> segments;
  bool add = false;
  for (i64 c = 0; c < chunks.count; ++c) {
    const i64 u0 = begin + chunks.start(c), u1 = begin + chunks.start(c + 1);
    l.open(p, block, u0, u1, memory().input.room(l.room(p, u1 - u0)), segments);
    float* out = in_place ? nullptr : memory().output.room((u1 - u0) * l.unit_pixels * wide);
    if (!in_place) pack_outputs(k, p, column, segments, out);
    for (const Segment& segment : segments) {
      WeightGrad t;
      t.a_px = l.px, t.a_row = segment.a_row;
      t.b = in_place ? segment.out + column.first : out + segment.first * wide;
      t.b_px = wide, t.b_row = in_place ? p.out_row : segment.width * wide;
      t.rows = segment.rows, t.width = segment.width, t.columns = column.count, t.add = add;
      const Pieces tiles(l.len, k.cells[column.vectors]);
      for (i64 i = 0; i < l.n1; ++i) {
        for (i64 j = 0; j < l.n2; ++j) {
          for (i64 tile = 0; tile < tiles.count; ++tile) {
            const i64 k0 = tiles.start(tile), k1 = tiles.start(tile + 1);
            t.a = segment.a + i * l.s1 + j * l.s2 + k0;
            for (i64 m = k0; m < k1; ++m) {
              // A run of `len` floats covers one cell, a row of cells or the whole window.
              const i64 cell = (i * l.n2 + j) * (l.len / channels) + m / channels;
              t.c[m - k0] = grad + cell / p.kw * p.w_kh + cell % p.kw * p.w_kw + (first + m % channels) * p.w_ci +
                            column.first;
            }
            k.weight_grad[column.vectors][k1 - k0](t);
          }
        }
      }
      add = true;
    }
  }
}

void run_weight_grads(const Kernels& k, Threads threads, const std::vector<Product>& products, i64 kernel_size) {
  double work = 0;
  for (const Product& p : products) work += p.work();
  if (work < kSmallWork) threads.count = 1;
  struct Task {
    const Product* p;
    i64 layout, block, column;
  };
  std::vector<Layout> layouts;
  std::vector<Task> tasks;
  for (const Product& p : products) {
    layouts.emplace_back(p, k.width);
    const Layout& l = layouts.back();
    for (i64 block = 0; block < l.channel_blocks; ++block)
      for (size_t j = 0; j < l.columns.size(); ++j)
        tasks.push_back({&p, static_cast<i64>(layouts.size()) - 1, block, static_cast<i64>(j)});
  }
  // Where there are few pieces of the kernel, the pixels are divided too; their sums are added in order at the end, so
  // that a call gives the same numbers every time.
  const i64 many = static_cast<i64>(tasks.size());
  const i64 units = layouts.empty() ? 0 : layouts[0].units;
  i64 parts = 1;
  if (threads.count > 1 && many < 2 * threads.count) parts = std::min(units, ceil_div(2 * threads.count, many));
  parts = std::max<i64>(parts, 1);
  CallMemory whole;
  float* sums = parts > 1 ? whole.room((parts - 1) * kernel_size) : nullptr;
  float* grad = products[0].w;
  parallel(threads, many * parts, [&](i64 i) {
    const Task& task = tasks[static_cast<size_t>(i / parts)];
    const i64 part = i % parts;
    const Product& p = *task.p;
    const Layout& l = layouts[static_cast<size_t>(task.layout)];
    float* to = part == 0 ? p.w : sums + (part - 1) * kernel_size + (p.w - grad);
    weight_task(k, p, l, task.block, l.columns[static_cast<size_t>(task.column)], units * part / parts,
                units * (part + 1) / parts, to);
  });
  if (parts > 1) {
    const Pieces ranges(kernel_size, 4096);
    if (kernel_size < (32 << 10)) threads.count = 1;
    parallel(threads, ranges.count, [&](i64 i) {
      for (i64 part = 1; part < parts; ++part) {
        const float* from = sums + (part - 1) * kernel_size;
        for (i64 j = ranges.start(i); j < ranges.start(i + 1); ++j) grad[j] += from[j];
      }
    });
  }
}

// ---- from arrays to products

Product product(const Window& v, const Array& in, const Array& kernel, const Array& out, i64 group) {
  Product p = {};
  p.images = in.size[0], p.height = in.size[1], p.width = in.size[2], p.ci = kernel.size[2];
  p.out_h = out.size[1], p.out_w = out.size[2], p.co = kernel.size[3] / v.groups;
  p.kh = kernel.size[0], p.kw = kernel.size[1];
  p.sh = v.stride_h, p.sw = v.stride_w, p.dh = v.dilation_h, p.dw = v.dilation_w, p.top = v.top, p.left = v.left;
  p.in = in.data + group * p.ci, p.in_px = in.size[3], p.in_row = p.width * p.in_px, p.in_img = p.height * p.in_row;
  p.out = out.data + group * p.co, p.out_px = out.size[3], p.out_row = p.out_w * p.out_px;
  p.out_img = p.out_h * p.out_row;
  p.w = kernel.data + group * p.co;
  p.w_co = 1, p.w_ci = kernel.size[3], p.w_kw = p.ci * p.w_ci, p.w_kh = p.kw * p.w_kw;
  return p;
}

// One axis of one phase of the gradient by the input: the input cells at `phase`, `phase + stride`, ... get sums over the
// kernel cells `cell`, `cell + stride`, ..., as a convolution of the output's gradient without strides.
struct Phase {
  i64 count, cells, cell, before;
  Phase(i64 phase, i64 size, i64 kernel, i64 stride, i64 dilation, i64 padding) {
    count = phase < size ? (size - phase - 1) / stride + 1 : 0;
    if (stride == 1) {
      cell = 0, cells = kernel, before = (kernel - 1) * dilation - padding;
    } else {  // without dilation
      cell = (phase + padding) % stride;
      cells = cell < kernel ? (kernel - cell - 1) / stride + 1 : 0;
      before = cells - 1 - (phase + padding - cell) / stride;
    }
  }
};

std::vector<Product> input_products(const Window& v, const Array& in, const Array& kernel, const Array& out) {
  std::vector<Product> products;
  for (i64 group = 0; group < v.groups; ++group) {
    const Product f = product(v, in, kernel, out, group);
    for (i64 ry = 0; ry < f.sh; ++ry) {
      for (i64 rx = 0; rx < f.sw; ++rx) {
        const Phase y(ry, f.height, f.kh, f.sh, f.dh, f.top), x(rx, f.width, f.kw, f.sw, f.dw, f.left);
        Product p = {};
        p.images = f.images, p.height = f.out_h, p.width = f.out_w, p.ci = f.co;
        p.out_h = y.count, p.out_w = x.count, p.co = f.ci;
        p.kh = y.cells, p.kw = x.cells, p.sh = p.sw = 1, p.dh = f.dh, p.dw = f.dw;
        if (p.kh == 0 || p.kw == 0) p.kh = p.kw = 0;
        p.top = y.before, p.left = x.before;
        p.in = f.out, p.in_px = f.out_px, p.in_row = f.out_row, p.in_img = f.out_img;
        p.out = f.in + ry * f.in_row + rx * f.in_px;
        p.out_px = f.sw * f.in_px, p.out_row = f.sh * f.in_row, p.out_img = f.in_img;
        p.w = f.w;
        if (p.cells() > 0)
          p.w += (y.cell + (y.cells - 1) * f.sh) * f.w_kh + (x.cell + (x.cells - 1) * f.sw) * f.w_kw;
        p.w_kh = -f.sh * f.w_kh, p.w_kw = -f.sw * f.w_kw, p.w_ci = f.w_co, p.w_co = f.w_ci;
        products.push_back(p);
      }
    }
  }
  return products;
}

}  // namespace

std::string conv(const Kernels& k, const Threads& threads, const Window& v, Array in, Array kernel, const float* bias,
                 int activation, Array out) {
  std::string wrong = check(v, in, kernel, out);
  if (wrong.empty() && activation != kNone && activation != kRelu) wrong = "unknown activation";
  if (!wrong.empty()) return wrong;
  std::vector<Product> products;
  for (i64 group = 0; group < v.groups; ++group) {
    products.push_back(product(v, in, kernel, out, group));
    if (bias) products.back().bias = bias + group * products.back().co;
    products.back().activation = activation;
  }
  run_products(k, threads, products);
  return "";
}

std::string conv_input_grad(const Kernels& k, const Threads& threads, const Window& v, Array out, Array kernel,
                            Array in) {
  std::string wrong = check(v, in, kernel, out);
  if (wrong.empty() && ((v.stride_h > 1 && v.dilation_h > 1) || (v.stride_w > 1 && v.dilation_w > 1)))
    wrong = "strides with dilation have no gradient here";
  if (wrong.empty() && v.stride_h * v.stride_w > 4096) wrong = "the strides are too large";
  if (!wrong.empty()) return wrong;
  run_products(k, threads, input_products(v, in, kernel, out));
  return "";
}

std::string conv_weight_grad(const Kernels& k, const Threads& threads, const Window& v, Array in, Array out,
                             Array kernel) {
  const std::string wrong = check(v, in, kernel, out);
  if (!wrong.empty()) return wrong;
  const i64 size = kernel.size[0] * kernel.size[1] * kernel.size[2] * kernel.size[3];
  if (size == 0) return "";
  if (in.size[0] * out.size[1] * out.size[2] == 0) {
    std::memset(kernel.data, 0, static_cast<size_t>(size) * sizeof(float));
    return "";
  }
  std::vector<Product> products;
  for (i64 group = 0; group < v.groups; ++group) products.push_back(product(v, in, kernel, out, group));
  if (winograd_serves(products[0])) {  // all groups are alike
    for (const Product& p : products) run_winograd_weights(k, threads, p);
  } else {
    run_weight_grads(k, threads, products, size);
  }
  return "";
}

// ---- instruction sets

const Kernels* kernels_named(const std::string& name) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  if (name == "avx512") return avx512 ? avx512_kernels() : nullptr;
  if (name == "avx2") return avx2 ? avx2_kernels() : nullptr;
#endif
  return name == "baseline" ? baseline_kernels() : nullptr;
}

const Kernels& best_kernels() {
  static const Kernels& best = []() -> const Kernels& {
    const char* asked = std::getenv("HORNBILL_NATIVE_ISA");
    if (asked)
      if (const Kernels* k = kernels_named(asked)) return *k;
    for (const char* name : {"avx512", "avx2"})
      if (const Kernels* k = kernels_named(name)) return *k;
    return *baseline_kernels();
  }();
  return best;
}

}  // namespace hornbill
