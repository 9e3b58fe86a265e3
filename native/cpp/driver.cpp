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
  const std::string wrong = check_input_grad(v, in, kernel, out);
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

}  // namespace hornbill
