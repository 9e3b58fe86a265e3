#include "winograd.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tasks.h"

namespace hornbill {
namespace {

constexpr i64 kCells = 36, kPatch = 6, kTile = 4;
constexpr i64 kPatchFloats = 192 << 10;  // of transformed input that a task works on at a time
constexpr i64 kLeastChannels = 32;       // below, the transforms cost more than the products save
constexpr i64 kLeastSize = 9;            // of the output: 4 x 4 tiles waste too much of smaller ones
constexpr i64 kMostPairs = 512 * 256;    // of channels, above which the transformed kernel comes from slow memory

// What HORNBILL_NATIVE_ALGORITHM asks for: "direct", "winograd" (wherever the form allows it) or nothing.
const std::string& asked() {
  static const std::string value = [] {
    const char* text = std::getenv("HORNBILL_NATIVE_ALGORITHM");
    return std::string(text ? text : "");
  }();
  return value;
}

// Tiles of all images in one row.
struct Tiles {
  i64 down, across, count;
  explicit Tiles(const Product& p)
      : down(ceil_div(p.out_h, kTile)), across(ceil_div(p.out_w, kTile)), count(p.images * down * across) {}
};

struct Place {
  i64 image, y, x;  // of the first output
};

Place place(const Tiles& tiles, i64 tile) {
  return {tile / (tiles.down * tiles.across), tile / tiles.across % tiles.down * kTile, tile % tiles.across * kTile};
}

// Transforms the patch under a tile; what lies outside the image is zero.
void transform_patch(const Kernels& k, const Product& p, const Place& at, float* scratch, float* to, i64 to_cell) {
  const i64 top = at.y - p.top, left = at.x - p.left;
  const float* image = p.in + at.image * p.in_img;
  WinogradInput t = {scratch, p.ci, kPatch * p.ci, to, to_cell, p.ci};
  if (top >= 0 && left >= 0 && top + kPatch <= p.height && left + kPatch <= p.width) {
    t.from = image + top * p.in_row + left * p.in_px, t.px = p.in_px, t.row = p.in_row;
  } else {
    for (i64 y = 0; y < kPatch; ++y) {
      for (i64 x = 0; x < kPatch; ++x) {
        float* cell = scratch + (y * kPatch + x) * p.ci;
        const i64 row = top + y, column = left + x;
        const size_t bytes = static_cast<size_t>(p.ci) * sizeof(float);
        if (row >= 0 && row < p.height && column >= 0 && column < p.width)
          std::memcpy(cell, image + row * p.in_row + column * p.in_px, bytes);
        else
          std::memset(cell, 0, bytes);
      }
    }
  }
  k.winograd_input(t);
}

// Tiles whose transformed patches stay in the cache, in whole rows of the products.
i64 tiles_at_a_time(const Kernels& k, const Product& p, const Column& column) {
  const i64 tallest = k.rows[column.vectors];
  return std::max<i64>(1, kPatchFloats / (kCells * p.ci * tallest)) * tallest;
}

i64 width_of(const std::vector<Column>& columns, const Kernels& k) {
  return columns.back().first + columns.back().vectors * k.width;
}

// Transforms the weights of one column: to[cell][channel][width].
void transform_kernel(const Kernels& k, const Product& p, const Column& column, float* to) {
  const i64 size = p.ci * column.vectors * k.width;
  float* plain = memory().weights.room(9 * size);
  pack_weights(k, p, column, 0, p.ci, plain);
  k.winograd_kernel({plain, size, to, size, size});
}

void run_tiles(const Kernels& k, const Product& p, const Tiles& tiles, const std::vector<Column>& columns,
               const float* kernels, i64 begin, i64 end) {
  const i64 count = end - begin, widest = kMaxVectors * k.width;
  float* patches = memory().input.room(kCells * (count + 1) * p.ci);  // (36, tiles, channels), and one patch
  float* scratch = patches + kCells * count * p.ci;
  float* sums = memory().output.room(kCells * count * widest);        // (36, tiles, width)
  for (i64 i = 0; i < count; ++i)
    transform_patch(k, p, place(tiles, begin + i), scratch, patches + i * p.ci, count * p.ci);
  for (const Column& column : columns) {
    const i64 wide = column.vectors * k.width, tallest = k.rows[column.vectors], parts = ceil_div(count, tallest);
    Forward t = {};
    t.a_px = p.ci, t.n1 = t.n2 = 1, t.len = p.ci, t.c_px = wide, t.columns = static_cast<int>(wide);
    for (i64 cell = 0; cell < kCells; ++cell) {
      t.b = kernels + kCells * column.first * p.ci + cell * p.ci * wide;
      for (i64 part = 0; part < parts; ++part) {
        const i64 first = count * part / parts, last = count * (part + 1) / parts;
        t.a = patches + (cell * count + first) * p.ci;
        t.c = sums + (cell * count + first) * wide;
        k.forward[column.vectors][last - first](t);
      }
    }
    float bias[kMaxVectors * 16] = {};
    if (p.bias) std::memcpy(bias, p.bias + column.first, static_cast<size_t>(column.count) * sizeof(float));
    WinogradOutput o = {};
    o.from_cell = count * wide, o.px = p.out_px, o.row = p.out_row;
    o.vectors = column.vectors, o.channels = column.count;
    o.bias = p.bias ? bias : nullptr, o.activation = p.activation;
    for (i64 i = 0; i < count; ++i) {
      const Place at = place(tiles, begin + i);
      o.from = sums + i * wide;
      o.out = p.out + at.image * p.out_img + at.y * p.out_row + at.x * p.out_px + column.first;
      o.rows = static_cast<int>(std::min(kTile, p.out_h - at.y));
      o.columns = static_cast<int>(std::min(kTile, p.out_w - at.x));
      k.winograd_output(o);
    }
  }
}

// Adds the sums of the tiles from `begin` to `end` to `sums`: for each column (36, channels, width).
void sum_weights(const Kernels& k, const Product& p, const Tiles& tiles, const std::vector<Column>& columns, i64 begin,
                 i64 end, bool add, float* sums) {
  const i64 count = end - begin, widest = kMaxVectors * k.width;
  float* patches = memory().input.room(kCells * (count + 1) * p.ci);  // (36, tiles, channels), and one patch
  float* scratch = patches + kCells * count * p.ci;
  float* gradients = memory().output.room(kCells * count * widest);   // (36, tiles, width)
  for (i64 i = 0; i < count; ++i)
    transform_patch(k, p, place(tiles, begin + i), scratch, patches + i * p.ci, count * p.ci);
  for (const Column& column : columns) {
    const i64 wide = column.vectors * k.width;
    WinogradGradient g = {};
    g.px = p.out_px, g.row = p.out_row, g.vectors = column.vectors, g.channels = column.count, g.to_cell = count * wide;
    for (i64 i = 0; i < count; ++i) {
      const Place at = place(tiles, begin + i);
      g.from = p.out + at.image * p.out_img + at.y * p.out_row + at.x * p.out_px + column.first;
      g.rows = static_cast<int>(std::min(kTile, p.out_h - at.y));
      g.columns = static_cast<int>(std::min(kTile, p.out_w - at.x));
      g.to = gradients + i * wide;
      k.winograd_gradient(g);
    }
    const i64 tallest = k.cells[column.vectors], parts = ceil_div(p.ci, tallest);
    WeightGrad t = {};
    t.a_px = p.ci, t.b_px = wide, t.rows = 1, t.width = count, t.columns = static_cast<int>(wide), t.add = add;
    for (i64 cell = 0; cell < kCells; ++cell) {
      t.b = gradients + cell * count * wide;
      float* to = sums + kCells * column.first * p.ci + cell * p.ci * wide;
      for (i64 part = 0; part < parts; ++part) {
        const i64 first = p.ci * part / parts, last = p.ci * (part + 1) / parts;
        t.a = patches + cell * count * p.ci + first;
        for (i64 m = first; m < last; ++m) t.c[m - first] = to + m * wide;
        k.weight_grad[column.vectors][last - first](t);
      }
    }
  }
}

}  // namespace

bool winograd_serves(const Product& p) {
  const bool form = p.kh == 3 && p.kw == 3 && p.sh == 1 && p.sw == 1 && p.dh == 1 && p.dw == 1;
  if (!form || p.images * p.out_h * p.out_w * p.co * p.ci == 0 || asked() == "direct") return false;
  if (asked() == "winograd") return true;
  return std::min(p.ci, p.co) >= kLeastChannels && std::min(p.out_h, p.out_w) >= kLeastSize && p.ci * p.co <= kMostPairs;
}

void run_winograd(const Kernels& k, const Threads& threads, const Product& p) {
  const Tiles tiles(p);
  const std::vector<Column> columns = columns_of(p.co, k.width);
  CallMemory whole;
  float* kernels = whole.room(kCells * p.ci * width_of(columns, k));
  parallel(threads, static_cast<i64>(columns.size()), [&](i64 i) {
    const Column& column = columns[static_cast<size_t>(i)];
    transform_kernel(k, p, column, kernels + kCells * column.first * p.ci);
  });
  const i64 most = tiles_at_a_time(k, p, columns[0]), fair = ceil_div(tiles.count, 2 * threads.count);
  const i64 chunks = ceil_div(tiles.count, threads.count > 1 ? std::min(most, fair) : most);
  parallel(threads, chunks, [&](i64 i) {
    run_tiles(k, p, tiles, columns, kernels, tiles.count * i / chunks, tiles.count * (i + 1) / chunks);
  });
}

void run_winograd_weights(const Kernels& k, const Threads& threads, const Product& p) {
  const Tiles tiles(p);
  const std::vector<Column> columns = columns_of(p.co, k.width);
  const i64 size = kCells * p.ci * width_of(columns, k), most = tiles_at_a_time(k, p, columns[0]);
  // Each part of the tiles has sums of its own; they are added in order at the end.
  const i64 parts = std::min<i64>(threads.count, tiles.count);
  CallMemory whole;
  float* sums = whole.room(parts * size);
  parallel(threads, parts, [&](i64 part) {
    const i64 begin = tiles.count * part / parts, end = tiles.count * (part + 1) / parts;
    const i64 chunks = ceil_div(end - begin, most);
    for (i64 i = 0; i < chunks; ++i)
      sum_weights(k, p, tiles, columns, begin + (end - begin) * i / chunks, begin + (end - begin) * (i + 1) / chunks,
                  i > 0, sums + part * size);
  });
  parallel(threads, p.ci, [&](i64 channel) {
    for (const Column& column : columns) {
      const i64 wide = column.vectors * k.width, cells = p.ci * wide;
      float* first = sums + kCells * column.first * p.ci + channel * wide;
      for (i64 part = 1; part < parts; ++part)
        for (i64 cell = 0; cell < kCells; ++cell)
          for (i64 i = 0; i < wide; ++i) first[cell * cells + i] += first[part * size + cell * cells + i];
      k.winograd_weights({first, cells, p.w + channel * p.w_ci + column.first, p.w_kw, p.w_kh, column.vectors,
                          column.count});
    }
  });
}

}  // namespace hornbill
